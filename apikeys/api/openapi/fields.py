"""What each field is, in JSON Schema, under its canonical name."""

from collections.abc import Mapping
from typing import Any, Final

from apikeys import conf
from apikeys.api.fields import MOST_IDS
from apikeys.models import Status
from apikeys.scopes import LEVELS
from apikeys.services import MOST_REVOKED
from apikeys.services.rotation import DEFAULT_GRACE, LONGEST_GRACE
from apikeys.tokens import Environment
from apikeys.usage.key_request import Result
from apikeys.usage.reports import Interval
from apikeys.validation import METADATA_ENTRIES, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH
from core.text import NAME_LENGTH, TEXT_LENGTH

Schema = Mapping[str, Any]
_MOMENT: Final = {"type": "string", "format": "date-time", "examples": ["2027-01-31T12:00:00Z"]}
_LONGEST_LIFETIME: Final = 3650


def _maybe(schema: Schema, **more: Any) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"], **more}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _moment(description: str) -> Schema:
    return {**_MOMENT, "description": description}


def _scopes() -> Schema:
    one = {"type": "string", "enum": list(conf.scopes())}
    return {
        "type": "array",
        "items": one,
        "minItems": 1,
        "uniqueItems": True,
        "description": "What the key opens.",
    }


_METADATA: Final = {
    "type": "object",
    "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_LENGTH},
    "propertyNames": {"maxLength": METADATA_KEY_LENGTH},
    "maxProperties": METADATA_ENTRIES,
    "description": "Names and texts of your own, kept exactly as sent.",
}
_RESULTS: Final = {
    "type": "object",
    "propertyNames": {"enum": [result.value for result in Result]},
    "additionalProperties": {"type": "integer", "minimum": 1},
    "description": "Requests by how they ended; what did not happen is left out.",
}
_NAME: Final = _text("What people call it.", minLength=1, maxLength=NAME_LENGTH)
_DESCRIPTION: Final = _text("What people noted about it.", maxLength=TEXT_LENGTH)
_LIFETIME: Final = {
    "type": ["integer", "null"],
    "minimum": 1,
    "maximum": _LONGEST_LIFETIME,
    "description": "Days after which a key made from it ends; null for no end.",
}


def shown() -> Mapping[str, Schema]:
    """The fields of answers."""
    return {
        "id": _text("Its id."),
        "object": _text("The kind of object.", const="api_key"),
        "name": _text("What people call it."),
        "description": _text("What people noted about it; may be empty."),
        "key_prefix": _text("The displayed part of the newest secret."),
        "key_type": _text("The environment.", enum=[e.value for e in Environment]),
        "status": _text("The first that applies.", enum=[s.value for s in Status]),
        "usable_status": _text("Whether calls are let in.", enum=["active", "revoked"]),
        "enabled": {"type": "boolean", "description": "False while it is disabled."},
        "scopes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What the key opens.",
        },
        "scope": _text("The scopes in one word.", enum=list(LEVELS)),
        "rate_limit_tier": _text("The tier of its rate limit."),
        "metadata": {**_METADATA},
        "organization": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
            "required": ["id", "name"],
            "description": "The owner of the key that asks.",
        },
        "organization_id": _text("The owner."),
        "service_account": _maybe(_text("The service account that it belongs to.")),
        "user": _maybe(_text("The person on whose authority it was made.")),
        "created_by": _maybe(_text("The person or the key that made it.")),
        "last_used_at": _maybe(
            _moment(
                "The last successful use, right to about a minute. Refused requests (401, 403, 429)"
                " do not count."
            )
        ),
        "last_used_ip": _maybe(_text("The IP address of the last successful use.")),
        "last_used_user_agent": _maybe(_text("The user agent of the last successful use.")),
        "expires_at": _maybe(_moment("When it stops; null for never.")),
        "created_at": _moment("When it was made."),
        "updated_at": _moment("When it was last changed."),
        "revoked_at": _maybe(_moment("When it was revoked.")),
        "livemode": {"type": "boolean", "description": "Whether it is a live key."},
        "key": _text("The secret, in this answer only."),
        "prefix": _text("The displayed part of the secret."),
        "secret_already_delivered": {
            "type": "boolean",
            "const": True,
            "description": "Only where the call was answered before; then the secret is not there.",
        },
        "previous_secret_expires_at": _moment("When the older secret stops."),
        "lifetime_days": {**_LIFETIME},
        "interval": _text("How finely requests are told.", enum=[i.value for i in Interval]),
        "start": _moment("The beginning of the first interval."),
        "end": _moment("The end of the last interval."),
        "requests": {"type": "integer", "minimum": 0, "description": "All requests."},
        "results": _RESULTS,
        "intervals": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "start": _moment("The beginning of the interval."),
                    "requests": {"type": "integer", "minimum": 0},
                    "results": _RESULTS,
                },
                "required": ["start", "requests", "results"],
            },
            "description": "Every interval, in order, empty ones too.",
        },
    }


def taken() -> Mapping[str, Schema]:
    """The fields of bodies."""
    return {
        "name": _NAME,
        "description": _DESCRIPTION,
        "scopes": _scopes(),
        "scope": _text("All that may be read, or all but managing keys.", enum=list(LEVELS)),
        "metadata": _METADATA,
        "expires_at": _maybe(
            _moment("More than 60 seconds and at most ten years ahead; null for no end.")
        ),
        "enabled": {"type": "boolean", "description": "False stops the key until true."},
        "key_type": _text("The environment.", enum=[e.value for e in Environment]),
        "service_account": _maybe(_text("An enabled service account of the organization.")),
        "grace_period": {
            "type": "integer",
            "minimum": 0,
            "maximum": int(LONGEST_GRACE.total_seconds()),
            "default": int(DEFAULT_GRACE.total_seconds()),
            "description": "Seconds for which the older secret goes on working.",
        },
        "force": {"type": "boolean", "description": "Ends the overlap of an earlier rotation."},
        "ids": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "maxItems": MOST_IDS,
            "description": "Ids of keys; an id that is sent twice counts once.",
        },
        "cascade": {
            "type": "boolean",
            "default": False,
            "description": "Also revokes the keys that these created, with those in turn;"
            f" {MOST_REVOKED:,} keys in all at most.",
        },
        "lifetime_days": _LIFETIME,
    }


PARAMETERS: Final[Mapping[str, Schema]] = {
    "Idempotency-Key": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[!-~]+$",
        "description": "Made up by the caller: sent again within 24 hours, nothing is made twice.",
    },
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "cursor": {"type": "string", "description": "Where the page before has ended."},
    "status": {"type": "string", "enum": [s.value for s in Status]},
    "name": {"type": "string", "description": "Exact, whatever its case."},
    "from": _moment("Where to begin; 24 hours or 30 days before “to” otherwise."),
    "to": _moment("Where to end; now otherwise."),
    "interval": {"type": "string", "enum": [i.value for i in Interval], "default": "hour"},
    "pageIndex": {"type": "integer", "minimum": 0, "maximum": 10**6, "default": 0},
    "pageSize": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
}

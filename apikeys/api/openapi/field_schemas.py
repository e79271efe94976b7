"""JSON Schema of each field, under its canonical name, and of each parameter."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from apikeys import conf
from apikeys.api.fields import MOST_IDS
from apikeys.api.formats.base import WireFormat
from apikeys.api.viewsets.base import DEFAULT_PAGE, LONGEST_PAGE
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


def _field(kind: str, description: str, **keywords: Any) -> Schema:
    return {"type": kind, **keywords, "description": description}


def _string(description: str, **keywords: Any) -> Schema:
    return {"type": "string", "description": description, **keywords}


def _timestamp(description: str) -> Schema:
    examples = ["2027-01-31T12:00:00Z"]
    return _field("string", description, format="date-time", examples=examples)


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


_METADATA: Final = _field(
    "object",
    "Names and texts of your own, kept exactly as sent.",
    additionalProperties={"type": "string", "maxLength": METADATA_VALUE_LENGTH},
    propertyNames={"maxLength": METADATA_KEY_LENGTH},
    maxProperties=METADATA_ENTRIES,
)
_LIFETIME: Final = _nullable(
    _field(
        "integer",
        "Days after which a key made from it ends; null for no end.",
        minimum=1,
        maximum=3650,
    )
)
_RESULTS: Final = _field(
    "object",
    "Requests by how they ended; what did not happen is left out.",
    propertyNames={"enum": [result.value for result in Result]},
    additionalProperties={"type": "integer", "minimum": 1},
)
_INTERVAL: Final = {
    "type": "object",
    "properties": {
        "start": _timestamp("The beginning of the interval."),
        "requests": {"type": "integer", "minimum": 0},
        "results": _RESULTS,
    },
    "required": ["start", "requests", "results"],
}


def object_schema(
    wire: WireFormat,
    names: Iterable[str],
    fields: Mapping[str, Schema],
    required: Iterable[str],
) -> dict[str, Any]:
    """An object with the fields `names`, in the format's spelling."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {wire.name(name): fields[name] for name in names},
    }
    if required:
        schema["required"] = [wire.name(name) for name in required]
    return schema


def response_fields() -> Mapping[str, Schema]:
    """Fields of responses."""
    return {
        "id": _string("Its id."),
        "object": _string("The kind of object.", const="api_key"),
        "name": _string("What people call it."),
        "description": _string("What people noted about it; may be empty."),
        "key_prefix": _string("The displayed part of the newest secret."),
        "key_type": _string("The environment.", enum=[e.value for e in Environment]),
        "status": _string("The first that applies.", enum=[s.value for s in Status]),
        "usable_status": _string("Whether calls are let in.", enum=["active", "revoked"]),
        "enabled": _field("boolean", "False while it is disabled."),
        "scopes": _field("array", "What the key opens.", items={"type": "string"}),
        "scope": _string("The scopes in one word.", enum=list(LEVELS)),
        "rate_limit_tier": _string("The tier of its rate limit."),
        "metadata": {**_METADATA},
        "organization": _field(
            "object",
            "The owner of the key that asks.",
            properties={"id": {"type": "string"}, "name": {"type": "string"}},
            required=["id", "name"],
        ),
        "organization_id": _string("The owner."),
        "service_account": _nullable(_string("The service account that it belongs to.")),
        "user": _nullable(_string("The person on whose authority it was made.")),
        "created_by": _nullable(_string("The person or the key that made it.")),
        "last_used_at": _nullable(
            _timestamp(
                "The last successful use, right to about a minute. Refused requests (401, 403, 429)"
                " do not count."
            )
        ),
        "last_used_ip": _nullable(_string("The IP address of the last successful use.")),
        "last_used_user_agent": _nullable(_string("The user agent of the last successful use.")),
        "expires_at": _nullable(_timestamp("When it stops; null for never.")),
        "created_at": _timestamp("When it was made."),
        "updated_at": _timestamp("When it was last changed."),
        "revoked_at": _nullable(_timestamp("When it was revoked.")),
        "livemode": _field("boolean", "Whether it is a live key."),
        "key": _string("The secret, in this answer only."),
        "prefix": _string("The displayed part of the secret."),
        "secret_already_delivered": _field(
            "boolean",
            "Only where the call was answered before; then the secret is not there.",
            const=True,
        ),
        "previous_secret_expires_at": _timestamp("When the older secret stops."),
        "lifetime_days": {**_LIFETIME},
        "interval": _string("How finely requests are told.", enum=[i.value for i in Interval]),
        "start": _timestamp("The beginning of the first interval."),
        "end": _timestamp("The end of the last interval."),
        "requests": _field("integer", "All requests.", minimum=0),
        "results": _RESULTS,
        "intervals": _field("array", "Every interval, in order, empty ones too.", items=_INTERVAL),
    }


def request_fields() -> Mapping[str, Schema]:
    """Fields of request bodies."""
    return {
        "name": _string("What people call it.", minLength=1, maxLength=NAME_LENGTH),
        "description": _string("What people noted about it.", maxLength=TEXT_LENGTH),
        "scopes": _field(
            "array",
            "What the key opens.",
            items={"type": "string", "enum": list(conf.scopes())},
            minItems=1,
            uniqueItems=True,
        ),
        "scope": _string("All that may be read, or all but managing keys.", enum=list(LEVELS)),
        "metadata": _METADATA,
        "expires_at": _nullable(
            _timestamp("More than 60 seconds and at most ten years ahead; null for no end.")
        ),
        "enabled": _field("boolean", "False stops the key until true."),
        "key_type": _string("The environment.", enum=[e.value for e in Environment]),
        "service_account": _nullable(_string("An enabled service account of the organization.")),
        "grace_period": _field(
            "integer",
            "Seconds for which the older secret goes on working.",
            minimum=0,
            maximum=int(LONGEST_GRACE.total_seconds()),
            default=int(DEFAULT_GRACE.total_seconds()),
        ),
        "force": _field("boolean", "Ends the overlap of an earlier rotation."),
        "ids": _field(
            "array",
            "Ids of keys; an id that is sent twice counts once.",
            items={"type": "string"},
            minItems=1,
            maxItems=MOST_IDS,
        ),
        "cascade": _field(
            "boolean",
            "Also revokes the keys that these created, with those in turn;"
            f" {MOST_REVOKED:,} keys in all at most.",
            default=False,
        ),
        "lifetime_days": _LIFETIME,
    }


PARAMETERS: Final[Mapping[str, Schema]] = {
    "Idempotency-Key": _field(
        "string",
        "Made up by the caller: sent again within 24 hours, nothing is made twice.",
        minLength=1,
        maxLength=255,
        pattern="^[!-~]+$",
    ),
    "limit": {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": DEFAULT_PAGE},
    "cursor": _string("Where the page before has ended."),
    "status": {"type": "string", "enum": [s.value for s in Status]},
    "name": _string("Exact, whatever its case."),
    "from": _timestamp("Where to begin; 24 hours or 30 days before “to” otherwise."),
    "to": _timestamp("Where to end; now otherwise."),
    "interval": {"type": "string", "enum": [i.value for i in Interval], "default": "hour"},
    "pageIndex": {"type": "integer", "minimum": 0, "maximum": 10**6, "default": 0},
    "pageSize": {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": DEFAULT_PAGE},
}

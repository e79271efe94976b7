"""JSON Schema of each field, under its canonical name, and of each parameter."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
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
    "Your own keys and values, stored exactly as sent.",
    additionalProperties={"type": "string", "maxLength": METADATA_VALUE_LENGTH},
    propertyNames={"maxLength": METADATA_KEY_LENGTH},
    maxProperties=METADATA_ENTRIES,
)
_LIFETIME: Final = _nullable(
    _field(
        "integer",
        "Days until a key created from the template expires; null if the template sets none.",
        minimum=1,
        maximum=3650,
    )
)
_RESULTS: Final = _field(
    "object",
    "Number of requests by result. Results without requests are omitted.",
    propertyNames={"enum": [result.value for result in Result]},
    additionalProperties={"type": "integer", "minimum": 1},
)
_INTERVAL: Final = {
    "type": "object",
    "properties": {
        "start": _timestamp("Start of the interval."),
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
    """An object with the fields `names`, in the format's spelling.

    Copies their schemas: YAML would write shared ones as anchors and aliases.
    """
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {wire.name(name): deepcopy(fields[name]) for name in names},
    }
    if required:
        schema["required"] = [wire.name(name) for name in required]
    return schema


_KEY: Final[Mapping[str, Schema]] = {
    "id": _string("ID."),
    "object": _string("Type of the object.", const="api_key"),
    "name": _string("Display name."),
    "description": _string("Description; can be empty."),
    "key_prefix": _string("Prefix of the newest secret, safe to display."),
    "key_type": _string("Environment.", enum=[e.value for e in Environment]),
    "livemode": _field("boolean", "True for a live key, false for a test key."),
    "scopes": _field("array", "Scopes.", items={"type": "string"}),
    "scope": _string("Access level of the scopes.", enum=list(LEVELS)),
    "rate_limit_tier": _string("Rate limit tier."),
    "metadata": _METADATA,
    "lifetime_days": _LIFETIME,
}
_STATUS: Final[Mapping[str, Schema]] = {
    "status": _string("First status that applies.", enum=[s.value for s in Status]),
    "usable_status": _string("Whether the key can be used.", enum=["active", "revoked"]),
    "enabled": _field("boolean", "False while the key is disabled."),
    "expires_at": _nullable(_timestamp("When the key expires; null if it doesn't.")),
    "created_at": _timestamp("When it was created."),
    "updated_at": _timestamp("When it was last changed."),
    "revoked_at": _nullable(_timestamp("When the key was revoked, if it was.")),
}
_OWNERS: Final[Mapping[str, Schema]] = {
    "organization": _field(
        "object",
        "Organization that owns the API key of this request.",
        properties={"id": {"type": "string"}, "name": {"type": "string"}},
        required=["id", "name"],
    ),
    "organization_id": _string("ID of the organization that owns the key."),
    "service_account": _nullable(_string("ID of the owning service account, if any.")),
    "user": _nullable(_string("ID of the user who created it; null with a service account.")),
    "created_by": _nullable(_string("ID of the user or API key that created it, if any.")),
}
_LAST_USE: Final[Mapping[str, Schema]] = {
    "last_used_at": _nullable(
        _timestamp(
            "Last successful use, accurate to about a minute. Rejected requests (401, 403, 429)"
            " don't count."
        )
    ),
    "last_used_ip": _nullable(_string("IP address of the last successful use.")),
    "last_used_user_agent": _nullable(_string("User agent of the last successful use.")),
}
_SECRET: Final[Mapping[str, Schema]] = {
    "key": _string("The secret. Shown only in this response."),
    "prefix": _string("Prefix of the secret, safe to display."),
    "secret_already_delivered": _field(
        "boolean", "Only in the response to a repeated request, without secret.", const=True
    ),
    "previous_secret_expires_at": _timestamp("When the previous secret expires."),
}
_USAGE: Final[Mapping[str, Schema]] = {
    "interval": _string("Length of each interval.", enum=[i.value for i in Interval]),
    "start": _timestamp("Start of the first interval."),
    "end": _timestamp("End of the last interval."),
    "requests": _field("integer", "Number of requests.", minimum=0),
    "results": _RESULTS,
    "intervals": _field("array", "All intervals, in order.", items=_INTERVAL),
}
#: Canonical name → JSON Schema, in responses.
RESPONSE_FIELDS: Final[Mapping[str, Schema]] = {
    **_KEY,
    **_STATUS,
    **_OWNERS,
    **_LAST_USE,
    **_SECRET,
    **_USAGE,
}
_CONTENT: Final[Mapping[str, Schema]] = {
    "name": _string("Display name.", minLength=1, maxLength=NAME_LENGTH),
    "description": _string("Description.", maxLength=TEXT_LENGTH),
    "scope": _string("Access level; “read-write” can't manage API keys.", enum=list(LEVELS)),
    "metadata": _METADATA,
    "expires_at": _nullable(
        _timestamp("More than 60 seconds and at most ten years from now; null to never expire.")
    ),
    "enabled": _field("boolean", "False disables the key until you set true."),
    "key_type": _string("Environment.", enum=[e.value for e in Environment]),
    "service_account": _nullable(_string("ID of an enabled service account.")),
    "lifetime_days": _LIFETIME,
}
_ROTATION: Final[Mapping[str, Schema]] = {
    "grace_period": _field(
        "integer",
        "Seconds for which the previous secret keeps working.",
        minimum=0,
        maximum=int(LONGEST_GRACE.total_seconds()),
        default=int(DEFAULT_GRACE.total_seconds()),
    ),
    "force": _field("boolean", "Ends the grace period of an earlier rotation."),
}
_REVOCATION: Final[Mapping[str, Schema]] = {
    "ids": _field(
        "array",
        "IDs of API keys. Duplicates count once.",
        items={"type": "string"},
        minItems=1,
        maxItems=MOST_IDS,
    ),
    "cascade": _field(
        "boolean",
        "Also revokes all keys that these keys created, directly or indirectly;"
        f" at most {MOST_REVOKED:,} keys in total.",
        default=False,
    ),
}


def request_fields() -> Mapping[str, Schema]:
    """Canonical name → JSON Schema, in request bodies. The scopes are those of the settings."""
    items = {"type": "string", "enum": list(conf.scopes())}
    scopes = _field("array", "Scopes.", items=items, minItems=1, uniqueItems=True)
    return {**_CONTENT, "scopes": scopes, **_ROTATION, **_REVOCATION}


PARAMETERS: Final[Mapping[str, Schema]] = {
    "Idempotency-Key": _field(
        "string",
        "Any unique value. Repeating it within 24 hours doesn't issue a second secret.",
        minLength=1,
        maxLength=255,
        pattern="^[!-~]+$",
    ),
    "limit": {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": DEFAULT_PAGE},
    "cursor": _string("Cursor from the previous page."),
    "status": {"type": "string", "enum": [s.value for s in Status]},
    "name": _string("Exact name, ignoring case."),
    "from": _timestamp("Start; by default 24 hours before “to”, or 30 days for daily intervals."),
    "to": _timestamp("End; now by default."),
    "interval": {"type": "string", "enum": [i.value for i in Interval], "default": "hour"},
    "pageIndex": {"type": "integer", "minimum": 0, "maximum": 10**6, "default": 0},
    "pageSize": {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE, "default": DEFAULT_PAGE},
}

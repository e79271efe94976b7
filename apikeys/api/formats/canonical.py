"""The canonical format (sources: signa-create-api-key.txt, signa-get-api-key.txt)."""

from typing import Any, Final

from apikeys.api.wire import CANONICAL_ERROR, WireFormat, canonical_error

_READ: Final = (
    *("id", "object", "name", "description", "key_prefix", "key_type", "status", "enabled"),
    *("scopes", "rate_limit_tier", "metadata", "service_account", "created_by"),
    *("last_used_at", "last_used_ip", "last_used_user_agent"),
    *("expires_at", "created_at", "updated_at", "revoked_at", "livemode"),
)
_CHANGEABLE: Final = ("name", "description", "scopes", "metadata", "expires_at")


def _listing(items: list[Any], next_cursor: str | None) -> dict[str, Any]:
    return {
        "object": "list",
        "data": items,
        "has_more": next_cursor is not None,
        "pagination": {"cursor": next_cursor},
    }


def _listing_schema(item: Any) -> dict[str, Any]:
    cursor = {"type": "object", "properties": {"cursor": {"type": ["string", "null"]}}}
    return {
        "type": "object",
        "properties": {
            "object": {"type": "string", "const": "list"},
            "data": {"type": "array", "items": item},
            "has_more": {"type": "boolean"},
            "pagination": cursor,
        },
        "required": ["object", "data", "has_more", "pagination"],
    }


def _with_request_id(data: Any) -> dict[str, Any]:
    properties = {**data["properties"], "request_id": {"type": "string"}}
    required = [*data["required"], "request_id"]
    return {"type": "object", "properties": properties, "required": required}


CANONICAL: Final = WireFormat(
    shows={
        "read": _READ,
        "create": (*_READ, "key", "prefix"),
        "rotate": (*_READ, "key", "prefix", "previous_secret_expires_at"),
        "current": (*_READ, "organization"),
    },
    takes={
        "create": (*_CHANGEABLE, "key_type", "service_account"),
        "update": (*_CHANGEABLE, "enabled"),
        "rotate": ("grace_period", "force"),
    },
    requires={"create": ("name", "scopes")},
    examples={
        "create": {
            "name": "Analytics Dashboard",
            "scopes": ["trademarks:read", "search:read", "events:read"],
        }
    },
    listing=_listing,
    listing_schema=_listing_schema,
    answer_schema=_with_request_id,
    error_schema=CANONICAL_ERROR,
    answer=lambda data, request_id: {**data, "request_id": request_id},
    error=canonical_error,
    impossible_id_is_invalid=True,
)

"""The canonical format (sources: signa-create-api-key.txt, signa-get-api-key.txt)."""

from typing import Any, Final

from apikeys.api.formats.base import CANONICAL_ERROR, WireFormat, canonical_error

_READ: Final = (
    *("id", "object", "name", "description", "key_prefix", "key_type", "status", "enabled"),
    *("scopes", "rate_limit_tier", "metadata", "service_account", "created_by"),
    *("last_used_at", "last_used_ip", "last_used_user_agent"),
    *("expires_at", "created_at", "updated_at", "revoked_at", "livemode"),
)
_CHANGEABLE: Final = ("name", "description", "scopes", "metadata", "expires_at")


def _several(items: list[Any]) -> dict[str, Any]:
    return {"object": "list", "data": items}


def _listing(items: list[Any], next_cursor: str | None) -> dict[str, Any]:
    return {
        **_several(items),
        "has_more": next_cursor is not None,
        "pagination": {"cursor": next_cursor},
    }


def _several_schema(item: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "object": {"type": "string", "const": "list"},
            "data": {"type": "array", "items": item},
        },
        "required": ["object", "data"],
    }


def _listing_schema(item: Any) -> dict[str, Any]:
    cursor = {"type": "object", "properties": {"cursor": {"type": ["string", "null"]}}}
    several = _several_schema(item)
    more = {"has_more": {"type": "boolean"}, "pagination": cursor}
    return {
        "type": "object",
        "properties": {**several["properties"], **more},
        "required": [*several["required"], *more],
    }


def _with_request_id(data: Any) -> dict[str, Any]:
    properties = {**data["properties"], "request_id": {"type": "string"}}
    required = [*data["required"], "request_id"]
    return {"type": "object", "properties": properties, "required": required}


#: The example responses of both documents, completed with the fields that they omit.
_KEY: Final = {
    "id": "key_0Xv5ZlJbkzpqU2TdqRgwF1",
    "object": "api_key",
    "name": "Analytics Dashboard",
    "description": "",
    "key_prefix": "sig_live_a1b2",
    "key_type": "live",
    "status": "active",
    "enabled": True,
    "scopes": ["trademarks:read", "search:read", "events:read"],
    "rate_limit_tier": "standard",
    "metadata": {"environment": "production"},
    "service_account": None,
    "created_by": "usr_0Xv5ZlJbkzpqU2TdqRgwF2",
    "last_used_at": None,
    "last_used_ip": None,
    "last_used_user_agent": None,
    "expires_at": None,
    "created_at": "2026-03-24T16:00:00Z",
    "updated_at": "2026-03-24T16:00:00Z",
    "revoked_at": None,
    "livemode": True,
}
_REVOKED: Final = {**_KEY, "status": "revoked", "revoked_at": "2026-03-25T16:00:00Z"}
_ISSUED: Final = {
    "key": "sig_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0",
    "prefix": "sig_live_a1b2",
}
CANONICAL: Final = WireFormat(
    shows={
        "read": _READ,
        "create": (*_READ, "key", "prefix"),
        "rotate": (*_READ, "key", "prefix", "previous_secret_expires_at"),
        "again": (*_READ, "prefix", "secret_already_delivered"),
        "current": (*_READ, "organization"),
    },
    takes={
        "create": (*_CHANGEABLE, "key_type", "service_account"),
        "update": (*_CHANGEABLE, "enabled"),
        "rotate": ("grace_period", "force"),
        "revoke_many": ("ids", "cascade"),
    },
    requires={"create": ("name", "scopes"), "revoke_many": ("ids",)},
    examples={
        "create": {
            "name": "Analytics Dashboard",
            "scopes": ["trademarks:read", "search:read", "events:read"],
        },
        "revoke_many": {"ids": [_KEY["id"]], "cascade": False},
    },
    example_responses={
        "read": {
            **_KEY,
            "name": "Production server",
            "scopes": ["trademarks:read", "search:read", "portfolios:manage"],
            "last_used_at": "2026-04-09T18:12:00Z",
            "last_used_ip": "192.0.2.7",
            "last_used_user_agent": "python-requests/2.32",
            "created_at": "2025-12-01T10:00:00Z",
        },
        "create": {**_KEY, **_ISSUED},
        "rotate": {**_KEY, **_ISSUED, "previous_secret_expires_at": "2026-03-25T16:00:00Z"},
        "revoke": _REVOKED,
        "revoke_many": _several([_REVOKED]),
        "current": {
            **_KEY,
            "organization": {"id": "org_0Xv5ZlJbkzpqU2TdqRgwF3", "name": "Acme"},
        },
    },
    listing=_listing,
    listing_schema=_listing_schema,
    several=_several,
    several_schema=_several_schema,
    success_schema=_with_request_id,
    error_schema=CANONICAL_ERROR,
    success_body=lambda data, request_id: {**data, "request_id": request_id},
    error=canonical_error,
    impossible_id_is_invalid=True,
)

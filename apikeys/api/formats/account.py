"""The account format (source: signus-developer-settings.txt)."""

from typing import Final

from apikeys.api.formats.base import CANONICAL_ERROR, WireFormat, canonical_error

_CHANGEABLE: Final = ("name", "scopes", "description", "lifetime_days")

_TEMPLATE: Final = {
    "id": "tpl_0Xv5ZlJbkzpqU2TdqRgwF4",
    "name": "Dashboard",
    "description": "For charts",
    "scopes": ["search:read"],
    "lifetimeDays": 90,
    "createdAt": "2026-03-24T16:00:00Z",
    "updatedAt": "2026-03-24T16:00:00Z",
}
ACCOUNT: Final = WireFormat(
    names={
        "lifetime_days": "lifetimeDays",
        "created_at": "createdAt",
        "updated_at": "updatedAt",
    },
    shows={
        "read": ("id", "name", "description", "scopes", "lifetime_days", "created_at", "updated_at")
    },
    takes={"create": _CHANGEABLE, "update": _CHANGEABLE},
    requires={"create": ("name", "scopes")},
    example_responses={
        "read": _TEMPLATE,
        "list": {"items": [_TEMPLATE], "pageIndex": 0, "pageSize": 5, "totalCount": 1},
    },
    listing_schema=lambda item: {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item},
            **{name: {"type": "integer"} for name in ("pageIndex", "pageSize", "totalCount")},
        },
        "required": ["items", "pageIndex", "pageSize", "totalCount"],
    },
    error=canonical_error,
    error_schema=CANONICAL_ERROR,
    organization_in="account_id",
)

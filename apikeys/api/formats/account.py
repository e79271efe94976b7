"""The account format (source: signus-developer-settings.txt)."""

from typing import Final

from apikeys.api.wire import WireFormat, canonical_error

_CHANGEABLE: Final = ("name", "scopes", "description", "lifetime_days")

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
    error=canonical_error,
    organization_in="account_id",
)

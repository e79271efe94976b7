"""The account format (source: signus-developer-settings.txt)."""

from typing import Final

from apikeys.api.wire import WireFormat, canonical_error

ACCOUNT: Final = WireFormat(
    names={
        "lifetime_days": "lifetimeDays",
        "created_at": "createdAt",
        "updated_at": "updatedAt",
    },
    error=canonical_error,
)

"""The workspace format (source: signalsmith-workspace-api-keys.txt)."""

from typing import Any, Final

from apikeys.api.errors import ApiError
from apikeys.api.formats.base import WireFormat

_READ: Final = (
    *("id", "organization_id", "name", "key_prefix", "usable_status"),
    *("created_by", "created_at", "updated_at"),
)


def _error(failure: ApiError, request_id: str) -> dict[str, Any]:
    """The message, with the first invalid field in front, if any."""
    field = failure.problems[0].field if failure.problems else ""
    return {"error": f"{field}: {failure.message}" if field else failure.message}


#: Example values of the source document.
_KEY: Final = {
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "workspace_id": "660e8400-e29b-41d4-a716-446655440000",
    "name": "CI/CD Pipeline Key",
    "key_prefix": "sk_live_abc1",
    "status": "active",
    "created_by": "770e8400-e29b-41d4-a716-446655440000",
    "created_at": "2024-01-15T09:30:00Z",
    "updated_at": "2024-01-15T09:30:00Z",
}
WORKSPACE: Final = WireFormat(
    names={"organization_id": "workspace_id", "usable_status": "status"},
    shows={"read": _READ, "create": (*_READ, "key"), "revoke": ("usable_status",)},
    takes={"create": ("name",)},
    requires={"create": ("name",)},
    id_of=lambda prefix, value: str(value),
    has_pages=False,
    examples={"create": {"name": "CI/CD Pipeline Key"}},
    example_responses={
        "read": _KEY,
        "create": {**_KEY, "key": "sk_live_abc123def456ghi789..."},
        "revoke": {"status": "revoked"},
    },
    error=_error,
    error_schema={
        "type": "object",
        "properties": {"error": {"type": "string"}},
        "required": ["error"],
    },
    organization_in="workspace_id",
    organization_header="X-Workspace-ID",
)

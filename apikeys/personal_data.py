"""API keys in the export of personal data."""

from typing import Any

from apikeys.models import ApiKey
from organizations.models import User
from organizations.services.personal_data import contributes


@contributes("created_keys")
def created_keys(user: User) -> list[dict[str, Any]]:
    """Keys that the person created. They belong to the organizations."""
    keys = ApiKey.objects.filter(created_by=user).select_related("organization").order_by("id")
    return [
        {
            "id": key.public_id,
            "name": key.name,
            "organization_name": key.organization.name,
            "created_at": key.created_at,
        }
        for key in keys
    ]

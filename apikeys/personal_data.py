"""What the export of a person's data says of keys."""

from typing import Any

from apikeys.models import ApiKey
from organizations.models import User
from organizations.services.personal_data import contributes


@contributes("created_keys")
def created_keys(user: User) -> list[dict[str, Any]]:
    """The keys that the person made; they are their organizations'."""
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

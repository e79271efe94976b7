"""What the Developer pages share."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

from apikeys.models import ApiKey
from organizations import ids
from organizations.exceptions import NotFound
from organizations.pages import OrganizationPage
from organizations.roles import Action

_TABS = (
    ("configuration", "Configuration"),
    ("templates", "Templates"),
    ("service-accounts", "Service accounts"),
    ("activity", "Activity"),
    ("access", "Access"),
)


class DeveloperPage(OrganizationPage):
    """A page that admins see; its own tab is current."""

    action = Action.VIEW_KEYS
    section = "developer"
    tab = "configuration"

    def address(self, name: str, *args: str) -> str:
        """The address of a Developer page of this organization."""
        return reverse(f"apikeys:{name}", args=[self.organization.slug, *args])

    @property
    def base_url(self) -> str:
        """Where the API is reached."""
        return settings.API_BASE_URL or self.request.build_absolute_uri("/").rstrip("/")

    def find_key(self, text: str) -> ApiKey:
        """The key with a public id, deleted or not; NotFound for another organization's."""
        key_id = ids.read_id("key", text)
        if key_id is None:
            raise NotFound
        keys = ApiKey.objects.visible_to(self.actor).for_organization(self.organization.id)
        key = keys.for_display().select_related("created_by").filter(pk=key_id).first()
        if key is None:
            raise NotFound
        return key

    def render(
        self, template: str, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        tabs = [
            {"name": name, "label": label, "address": self.address(name)} for name, label in _TABS
        ]
        back = self.address("configuration")
        frame = {"tabs": tabs, "back": back, "base_url": self.base_url}
        return super().render(template, {**frame, **(context or {})}, status)

"""Base of the Developer pages: tabs, URLs and the organization's keys."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from apikeys.models import ApiKey, ApiKeyQuerySet
from apikeys.ratelimits.limiter import limiter
from core import cooldowns
from core.exceptions import Busy
from organizations.pages.base import OrganizationPage
from organizations.roles import ALLOWED, Action, Role

_TABS: Final = (
    ("configuration", "Configuration", Action.VIEW_KEYS),
    ("templates", "Templates", Action.VIEW_TEMPLATES),
    ("service-accounts", "Service accounts", Action.MANAGE_SERVICE_ACCOUNTS),
    ("usage", "Usage", Action.VIEW_KEYS),
    ("activity", "Activity", Action.VIEW_KEYS),
    ("access", "Access", Action.VIEW_KEYS),
)


def _too_often(wait: int) -> Busy:
    return Busy(f"Too many attempts. Try again in {wait} seconds.", retry_after=wait)


class DeveloperPage(OrganizationPage):
    action = Action.VIEW_KEYS
    section = "developer"
    tab = "configuration"

    def page_url(self, name: str, *args: str) -> str:
        """The URL of a Developer page of this organization."""
        return reverse(f"apikeys:{name}", args=[self.organization.slug, *args])

    def organization_keys(self) -> ApiKeyQuerySet:
        """The organization's keys that the user may see, including deleted ones."""
        return ApiKey.objects.visible_to(self.actor).for_organization(self.organization.id)

    def require_pace(self, work: str, limit: str) -> None:
        """Raises Busy if a person does `work` more often than `limit`, such as ``10/minute``."""
        wait = limiter().hit_named(f"{work}:{self.actor.principal_id}", limit)
        if wait:
            cooldowns.begin(self.request.session.session_key, work, wait)
            raise _too_often(wait)

    def known_pace_refusal(self, request: HttpRequest, work: str) -> Busy | None:
        """What `require_pace` told this session before, while it lasts. Reads nothing."""
        wait = cooldowns.seconds_left(request.session.session_key, work)
        return _too_often(wait) if wait else None

    @property
    def base_url(self) -> str:
        """The base URL of the API."""
        return settings.API_BASE_URL or self.request.build_absolute_uri("/").rstrip("/")

    def render(
        self, template: str, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        tabs = [
            {"name": name, "label": label, "address": self.page_url(name)}
            for name, label, action in _TABS
            if action in ALLOWED[Role(self.membership.role)]
        ]
        back = self.page_url("configuration")
        frame = {"tabs": tabs, "back": back, "base_url": self.base_url}
        return super().render(template, {**frame, **(context or {})}, status)

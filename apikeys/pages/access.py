"""The Access page: whether API access is on, limits, admins and permissions."""

from datetime import timedelta

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apikeys import conf, tokens
from apikeys.pages.base import DeveloperPage
from apikeys.services import key_limit
from organizations import tiers
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, Membership
from organizations.roles import Action

_SWITCHES = (OrganizationEvent.API_ACCESS_ENABLED, OrganizationEvent.API_ACCESS_DISABLED)


class Access(DeveloperPage):
    """Read-only: only staff can change these settings."""

    action = Action.VIEW_KEYS
    tab = "access"

    def get(self, request: HttpRequest) -> HttpResponse:
        organization_id = self.organization.id
        events = AuditEvent.objects.visible_log_of(organization_id, self.actor)
        switches = events.about(organization_id).filter(event__in=_SWITCHES)
        used = Q(last_used_at__gt=timezone.now() - timedelta(days=7))
        keys = self.organization_keys().unrevoked()
        counts = keys.aggregate(all=Count("pk"), used=Count("pk", filter=used))
        members = Membership.objects.visible_to(self.actor).for_organization(organization_id)
        admins = members.admins().select_related("user").order_by("user__name", "user__email")
        tier = self.organization.rate_limit_tier
        organization_limit = tiers.organization_limit(tier)
        number, limit = counts["all"], key_limit.limit_of(self.organization)
        context = {
            "switched": switches.first(),
            "used": counts["used"],
            "admins": list(admins),
            "tier": tier,
            "limit": tiers.in_words(tiers.key_limit(tier)),
            "organization_limit": organization_limit and tiers.in_words(organization_limit),
            "number": number,
            "key_limit": limit,
            "filled": min(100, max(number and 1, 100 * number // limit)) if limit else 0,
            "scopes": conf.scopes().items(),
            "pattern": tokens.scanning_pattern(conf.brand()),
        }
        return self.render("apikeys/access.html", context)

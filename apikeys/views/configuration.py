"""Configuration: the account, the base address, the keys."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apikeys import allowance
from apikeys.listing import SOON, Listing
from apikeys.models import ApiKey, Status
from apikeys.views.base import DeveloperPage
from apikeys.views.usage import sparks
from organizations.moments import days_between

_IDLE: Final = timedelta(days=30)


class Configuration(DeveloperPage):
    """The list of keys and what is done with them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page; htmx takes the list out of it."""
        keys = ApiKey.objects.visible_to(self.actor).for_organization(self.organization.id)
        listing = Listing.read(keys, request.GET)
        keys_shown = listing.rows
        bars = sparks(keys_shown)
        rows = [
            {**row(key, is_new=key.pk == listing.new), "spark": bars[key.pk]} for key in keys_shown
        ]
        context = {
            "listing": listing,
            "rows": rows,
            "exhausted": allowance.exhausted(self.organization, keys),
        }
        return self.render("apikeys/configuration.html", context)


def row(key: ApiKey, *, is_new: bool = False) -> dict[str, Any]:
    """What the list says of a key."""
    now = timezone.now()
    end, used = key.expires_at, key.last_used_at
    status = key.status_at(now)
    idle = used is not None and now - used > _IDLE
    return {
        "key": key,
        "status": status,
        "is_new": is_new,
        "expires_soon": status is Status.ACTIVE and end is not None and end - now < SOON,
        "idle_days": days_between(used, now) if used and idle else 0,
        "first_scopes": key.scopes[:3],
        "more_scopes": key.scopes[3:],
    }

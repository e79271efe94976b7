"""Configuration: the account, the base address, the keys."""

from django.http import HttpRequest, HttpResponse

from apikeys.models import ApiKey
from apikeys.pages.base import DeveloperPage
from apikeys.pages.keys.key_list import Listing, row
from apikeys.pages.usage.views import sparks
from apikeys.services import key_limit


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
            "exhausted": key_limit.exhausted(self.organization, keys),
        }
        return self.render("apikeys/configuration.html", context)

"""The KeyListPage page: account, base URL and key list."""

from django.http import HttpRequest, HttpResponse

from apikeys.pages.base import DeveloperPage
from apikeys.pages.keys.key_list import KeyFilter, key_row, load
from apikeys.pages.usage.views import sparklines
from apikeys.services import key_limit


class KeyListPage(DeveloperPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        # The page's script also requests this page, to replace the list.
        keys = self.organization_keys()
        key_filter = KeyFilter.from_query(request.GET)
        listing = load(keys, key_filter)
        bars = sparklines(listing.keys)
        rows = [
            {**key_row(key, is_new=key.pk == key_filter.new), "spark": bars[key.pk]}
            for key in listing.keys
        ]
        context = {
            "filter": key_filter,
            "listing": listing,
            "rows": rows,
            "exhausted": key_limit.reached_message(self.organization, keys),
        }
        return self.render("apikeys/configuration.html", context)

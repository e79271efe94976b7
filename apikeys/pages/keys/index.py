"""The Configuration page: account, base URL and key list."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse

from apikeys import conf
from apikeys.models import ApiKeyQuerySet
from apikeys.pages.base import DeveloperPage
from apikeys.pages.keys.key_filter import KeyFilter
from apikeys.pages.keys.key_list import COUNTED, load
from apikeys.pages.usage.views import sparklines
from apikeys.services import key_limit
from apikeys.tokens import Environment
from organizations.models import ServiceAccount, User

#: The most people and the most service accounts to choose from.
_MOST_CREATORS: Final = 100
Choices = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Select:
    """A filter: its parameter, label, the word for no choice, choices by group, and the choice."""

    name: str
    label: str
    any: str
    groups: dict[str, Choices]
    value: str


class KeyListPage(DeveloperPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        # The page's script also requests this page, to replace the list.
        keys = self.organization_keys()
        key_filter = KeyFilter.from_query(request.GET)
        listing = load(keys, key_filter)
        bars = sparklines(listing.keys)
        context = {
            "filter": key_filter,
            "listing": listing,
            "has_list": bool(listing.keys or key_filter.is_filtered),
            "rows": [{**row, "spark": bars[row["key"].pk]} for row in listing.rows],
            "selects": self._selects(key_filter, keys),
            "exhausted": key_limit.reached_message(self.organization, keys),
        }
        return self.render("apikeys/configuration.html", context)

    def _selects(self, key_filter: KeyFilter, keys: ApiKeyQuerySet) -> list[Select]:
        """The filters other than the status."""
        environments = {"": [(e.value, f"{e.capitalize()} keys") for e in Environment]}
        scopes = {"": [(scope, scope) for scope in conf.scopes()]}
        creators = self._creators(keys, key_filter.creator)
        return [
            Select("environment", "Environment", "All", environments, key_filter.environment),
            Select("permission", "Permission", "Any", scopes, key_filter.scope),
            Select("creator", "Creator", "Anyone", creators, key_filter.creator),
        ]

    def _creators(self, keys: ApiKeyQuerySet, chosen: str) -> dict[str, Choices]:
        """People who created listed keys, and service accounts. Makes two queries."""
        makers = keys.unrevoked().order_by().values("created_by_id")[: COUNTED + 1]
        people = User.objects.filter(pk__in=makers).order_by("name", "email")[:_MOST_CREATORS]
        accounts = ServiceAccount.objects.visible_to(self.actor).undeleted()
        accounts = accounts.for_organization(self.organization.id).order_by("name_key")
        groups = {
            "People": [(str(person.pk), str(person)) for person in people],
            "Service accounts": [(a.public_id, str(a)) for a in accounts[:_MOST_CREATORS]],
        }
        known = {value for choices in groups.values() for value, _ in choices}
        if chosen and chosen not in known:
            groups["Other"] = [(chosen, "Selected creator")]
        return {label: choices for label, choices in groups.items() if choices}

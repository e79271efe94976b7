"""The key list as CSV."""

from collections.abc import Iterable, Iterator
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.pages.base import DeveloperPage
from apikeys.pages.csv_export import begin_export, csv_response
from apikeys.pages.keys.bulk import MOST_SELECTED
from apikeys.pages.keys.key_filter import STATES, KeyFilter
from apikeys.pages.keys.key_list import EXPIRING, key_row
from core import ids
from core.bulkheads import Kind
from core.timestamps import rfc3339

HEADER: Final = (
    "Name",
    "Key ID",
    "Prefix",
    "Status",
    "Environment",
    "Permissions",
    "Last used (UTC)",
    "Expires (UTC)",
    "Created (UTC)",
    "Created by",
    "Service account",
    "Description",
)
#: Keys that are read per query.
_CHUNK: Final = 200


class KeyExport(DeveloperPage):
    """The keys of the list, with its filters or as selected. Contains no secrets."""

    def waiting_kind(self, request: HttpRequest) -> Kind | None:
        return "export"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Streams the keys while they are read. Ignores IDs of keys that aren't in the list."""
        keys = self.organization_keys().unrevoked()
        selected = request.GET.getlist("key")[:MOST_SELECTED]
        if selected:
            keys = keys.filter(pk__in=[ids.read_id("key", text) for text in selected])
        rows = KeyFilter.from_query(request.GET).matching(keys)
        place = begin_export(self.organization, what="keys", actor=self.actor)
        name = f"keys-{self.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
        return csv_response(place, _rows(rows.iterator(chunk_size=_CHUNK)), name)


def _rows(keys: Iterable[ApiKey]) -> Iterator[tuple[str, ...]]:
    yield HEADER
    for key in keys:
        yield (
            key.name,
            key.public_id,
            key.key_prefix,
            _status(key),
            key.get_environment_display(),
            " ".join(key.scopes),
            rfc3339(key.last_used_at) if key.last_used_at else "",
            rfc3339(key.expires_at) if key.expires_at else "",
            rfc3339(key.created_at),
            str(key.created_by or ""),
            str(key.service_account or ""),
            key.description,
        )


def _status(key: ApiKey) -> str:
    row = key_row(key)
    return STATES[EXPIRING if row["expires_soon"] else row["status"]]

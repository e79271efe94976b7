"""The query of the key list's URL: search, filters and order."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone

from apikeys import conf
from apikeys.models import ApiKey, ApiKeyQuerySet, ApiKeySecret, Status
from apikeys.models.status import status_condition
from apikeys.tokens import Environment
from core import ids
from core.text import name_key

SOON: Final = timedelta(days=14)
IDLE: Final = timedelta(days=30)
#: Value in the URL → label of the filter.
STATES: Final = {
    "": "All",
    "active": "Active",
    "expiring": "Expiring soon",
    "unused": "Unused for 30 days",
    "expired": "Expired",
    "disabled": "Disabled",
}
COLUMNS: Final = {
    "name": "Name",
    "last-used": "Last used",
    "expires": "Expires",
    "created": "Created",
}
_FIELDS: Final = {
    "name": "name_key",
    "created": "id",
    "last-used": "last_used_at",
    "expires": "expires_at",
}
#: Nullable columns, which sort nulls last. For other columns that would rule out an index.
_MAY_BE_EMPTY: Final = ("last-used", "expires")
NEWEST_FIRST: Final = "-created"
_LONGEST_SEARCH: Final = 100


@dataclass(frozen=True, slots=True)
class Header:
    """A column that can be sorted by: its link, and the current order for `aria-sort`."""

    name: str
    label: str
    query: str
    now: str


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """The parameters of the URL's query. Unknown or malformed ones are ignored."""

    search: str
    state: str
    environment: str
    scope: str
    #: A person's ID, or the public ID of a service account.
    creator: str
    order: str
    page_number: str
    #: A key to show first on the page, regardless of the order.
    new: UUID | None

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """Reads `q`, `status`, `environment`, `permission`, `creator`, `sort`, `page`, `new`."""
        order, creator = query.get("sort", NEWEST_FIRST), query.get("creator", "")
        return cls(
            search=query.get("q", "").replace("\x00", "").strip()[:_LONGEST_SEARCH],
            state=_one_of(STATES, query.get("status", "")),
            environment=_one_of(list(Environment), query.get("environment", "")),
            scope=_one_of(conf.scopes(), query.get("permission", "")),
            creator=creator if ids.read_id("sa", creator) else "",
            order=order if order.removeprefix("-") in COLUMNS else NEWEST_FIRST,
            page_number=query.get("page", "1"),
            new=ids.read_id("key", query.get("new", "")),
        )

    @property
    def is_filtered(self) -> bool:
        return bool(self.search or self.state or self._chosen)

    @property
    def _chosen(self) -> dict[str, str]:
        """The filters other than search and status, by the name of their parameter."""
        values = (
            ("environment", self.environment),
            ("permission", self.scope),
            ("creator", self.creator),
        )
        return {name: value for name, value in values if value}

    @property
    def headers(self) -> dict[str, Header]:
        """The sortable columns by name."""
        return {
            name.replace("-", "_"): self._header(name, label) for name, label in COLUMNS.items()
        }

    def _header(self, name: str, label: str) -> Header:
        if self.order == name:
            current, next_order = "ascending", f"-{name}"
        elif self.order == f"-{name}":
            current, next_order = "descending", name
        else:
            current, next_order = "", name if name in ("name", "expires") else f"-{name}"
        return Header(name, label, self.query(sort=next_order), current)

    def parameters(self, **changes: str) -> dict[str, str]:
        """The parameters of this list with changes. Defaults are omitted."""
        values = {"q": self.search, "status": self.state, **self._chosen, "sort": self.order}
        values |= changes
        return {k: v for k, v in values.items() if v and (k, v) != ("sort", NEWEST_FIRST)}

    def query(self, **changes: str) -> str:
        """The URL query of this list with changes."""
        query = QueryDict(mutable=True)
        query.update(self.parameters(**changes))
        return f"?{query.urlencode()}"

    def narrowed(self, keys: ApiKeyQuerySet) -> ApiKeyQuerySet:
        """The keys that match everything but the status."""
        keys = self._searched(keys)
        if self.environment:
            keys = keys.filter(environment=self.environment)
        if self.scope:
            # SQLite can't search in JSON. No scope has a quotation mark in its name.
            text = Cast("scopes", TextField())
            keys = keys.alias(scope_list=text).filter(scope_list__contains=f'"{self.scope}"')
        if self.creator:
            is_account = self.creator.startswith("sa_")
            field = "service_account_id" if is_account else "created_by_id"
            keys = keys.filter(**{field: ids.read_id("sa", self.creator)})
        return keys

    def _searched(self, keys: ApiKeyQuerySet) -> ApiKeyQuerySet:
        if not self.search:
            return keys
        condition = Q(name_key__contains=name_key(self.search))
        key_id = ids.read_id("key", self.search)
        if key_id:
            condition |= Q(pk=key_id)
        prefix = self.search.rstrip("•…")
        if "_" in prefix:
            secrets = ApiKeySecret.objects.filter(key=OuterRef("pk"), prefix__startswith=prefix)
            condition |= Q(Exists(secrets))
        return keys.filter(condition)

    def matching(self, keys: ApiKeyQuerySet) -> QuerySet[ApiKey]:
        """The keys of the list, in order, with everything that the list shows."""
        rows = self.narrowed(keys).for_pages()
        if self.state:
            rows = rows.filter(state_condition(self.state, timezone.now()))
        column = self.order.removeprefix("-")
        field, nulls_last = F(_FIELDS[column]), column in _MAY_BE_EMPTY or None
        if self.order.startswith("-"):
            return rows.order_by(field.desc(nulls_last=nulls_last), "-id")
        return rows.order_by(field.asc(nulls_last=nulls_last), "-id")


def _one_of(known: Collection[str], value: str) -> str:
    return value if value in known else ""


def state_condition(state: str, now: datetime) -> Q:
    """The condition of keys in a state of the filter. ValueError for an unknown one."""
    if state == "expiring":
        return status_condition(Status.ACTIVE, now) & Q(expires_at__lte=now + SOON)
    if state == "unused":
        return status_condition(Status.ACTIVE, now) & Q(last_used_at__lt=now - IDLE)
    return status_condition(state, now)

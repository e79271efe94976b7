"""The key list of the settings page: search, status, order, pages; queries do not grow."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeyQuerySet, ApiKeySecret, Status
from apikeys.models.status import status_condition
from core import ids
from core.text import name_key
from core.timestamps import days_between

PAGE_SIZE: Final = 25
SOON: Final = timedelta(days=14)
#: Value of the filter → what it is called.
STATES: Final = {
    "": "All",
    "active": "Active",
    "expiring": "Expiring soon",
    "expired": "Expired",
    "disabled": "Disabled",
}
COLUMNS: Final = {
    "name": "Name",
    "created": "Created",
    "last-used": "Last used",
    "expires": "Expires",
}
_FIELDS: Final = {
    "name": "name_key",
    "created": "id",
    "last-used": "last_used_at",
    "expires": "expires_at",
}
#: Columns that a key may leave empty. For the others the order by an index would be lost.
_MAY_BE_EMPTY: Final = ("last-used", "expires")
NEWEST_FIRST: Final = "-created"
#: Keys that are counted. Where more match, the list says no numbers: they would cost more than all
#: the rest of the page.
COUNTED: Final = 2_000
_LONGEST_SEARCH: Final = 100
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)


@dataclass(frozen=True)
class Listing:
    """What the visitor asks to see of `keys`. Whatever makes no sense counts as not said."""

    keys: ApiKeyQuerySet
    search: str
    state: str
    order: str
    page_number: str
    #: A key to show first on the page, wherever it belongs in the order.
    new: UUID | None = None

    @classmethod
    def read(cls, keys: ApiKeyQuerySet, query: QueryDict) -> "Listing":
        """From an address's query: `q`, `status`, `sort` and `page`."""
        state, order = query.get("status", ""), query.get("sort", NEWEST_FIRST)
        return cls(
            keys=keys.live(),
            search=query.get("q", "").replace("\x00", "").strip()[:_LONGEST_SEARCH],
            state=state if state in STATES else "",
            order=order if order.removeprefix("-") in COLUMNS else NEWEST_FIRST,
            page_number=query.get("page", "1"),
            new=ids.read_id("key", query.get("new", "")),
        )

    @property
    def is_filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.search or self.state)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many keys match the search in each state, of the first few; one query."""
        now = timezone.now()
        conditions = {state: _condition(state, now) for state in STATES if state}
        found = self._searched()[: COUNTED + 1].aggregate(
            all=Count("pk"), **{state: Count("pk", filter=q) for state, q in conditions.items()}
        )
        return {"": found.pop("all"), **found}

    @property
    def is_counted(self) -> bool:
        """Whether the counts are those of all keys."""
        return self.counts[""] <= COUNTED

    @property
    def states(self) -> list[tuple[str, str]]:
        """The options of the filter, with counts."""
        if not self.is_counted:
            return list(STATES.items())
        return [(state, f"{label} ({self.counts[state]})") for state, label in STATES.items()]

    @cached_property
    def page(self) -> "Page[ApiKey]":
        """The page that is asked for, or the nearest one."""
        if not self.is_counted:
            return self._uncounted_page()
        paginator = _Counted(self._rows(), PAGE_SIZE)
        paginator.total = self.total
        page = paginator.get_page(self.page_number)
        page.object_list = list(page.object_list)
        return page

    def _uncounted_page(self) -> "Page[ApiKey]":
        """One row more than a page has says whether there is a next one."""
        rows = self._rows()
        number = int(self.page_number) if _NUMBER.fullmatch(self.page_number) else 1
        first = (number - 1) * PAGE_SIZE
        found = list(rows[first : first + PAGE_SIZE + 1])
        if not found and number > 1:
            return Paginator(rows, PAGE_SIZE).get_page(number)
        paginator = _Counted(rows, PAGE_SIZE)
        paginator.total = first + len(found)
        return Page(found[:PAGE_SIZE], number, paginator)

    @property
    def rows(self) -> list[ApiKey]:
        """The keys of the page, the new one first, even where its place is on another page."""
        found = list(self.page.object_list)
        if self.new is None:
            return found
        rest = [key for key in found if key.pk != self.new]
        first = [key for key in found if key.pk == self.new]
        return [*(first or self._shown().filter(pk=self.new)), *rest]

    def _shown(self) -> QuerySet[ApiKey]:
        return self.keys.for_pages()

    @property
    def total(self) -> int:
        """How many keys match, if all are counted."""
        return self.counts[self.state]

    def query(self, **changes: str) -> str:
        """The query of the same list with something changed; defaults are left out."""
        values = {"q": self.search, "status": self.state, "sort": self.order, "page": "", **changes}
        query = QueryDict(mutable=True)
        query.update({k: v for k, v in values.items() if v and (k, v) != ("sort", NEWEST_FIRST)})
        return f"?{query.urlencode()}"

    @property
    def previous(self) -> str:
        """The query of the page before."""
        return self.query(page=str(self.page.previous_page_number()))

    @property
    def next(self) -> str:
        """The query of the page after."""
        return self.query(page=str(self.page.next_page_number()))

    @property
    def headers(self) -> list[dict[str, str]]:
        """The sortable columns: label, address, and the current order for `aria-sort`."""
        return [self._header(name, label) for name, label in COLUMNS.items()]

    def _header(self, name: str, label: str) -> dict[str, str]:
        descending = self.order == f"-{name}"
        now = "descending" if descending else "ascending" if self.order == name else ""
        first = name if name in ("name", "expires") else f"-{name}"
        following = {"": first, "ascending": f"-{name}", "descending": name}[now]
        return {"name": name, "label": label, "query": self.query(sort=following), "now": now}

    def _searched(self) -> ApiKeyQuerySet:
        if not self.search:
            return self.keys
        wanted = Q(name_key__contains=name_key(self.search))
        key_id = ids.read_id("key", self.search)
        if key_id:
            wanted |= Q(pk=key_id)
        prefix = self.search.rstrip("•…")
        if "_" in prefix:
            secrets = ApiKeySecret.objects.filter(key=OuterRef("pk"), prefix__startswith=prefix)
            wanted |= Q(Exists(secrets))
        return self.keys.filter(wanted)

    def _rows(self) -> QuerySet[ApiKey]:
        rows = self._searched().for_pages()
        if self.state:
            rows = rows.filter(_condition(self.state, timezone.now()))
        column = self.order.removeprefix("-")
        field, last = F(_FIELDS[column]), column in _MAY_BE_EMPTY or None
        down = self.order.startswith("-")
        order = field.desc(nulls_last=last) if down else field.asc(nulls_last=last)
        return rows.order_by(order, "-id")


class _Counted(Paginator[Any]):
    """A paginator that is told how many rows there are."""

    total: int

    @cached_property
    def count(self) -> int:
        return self.total


def _condition(state: str, now: datetime) -> Q:
    if state == "expiring":
        return status_condition(Status.ACTIVE, now) & Q(expires_at__lte=now + SOON)
    return status_condition(state, now)


_IDLE: Final = timedelta(days=30)


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

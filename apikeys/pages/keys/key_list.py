"""The key list of the settings page: search, status, order, pages; queries do not grow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, Self
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


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """What the query of the URL asks for. Unknown or malformed parameters are ignored."""

    search: str
    state: str
    order: str
    page_number: str
    #: A key to show first on the page, wherever it belongs in the order.
    new: UUID | None

    @classmethod
    def from_query(cls, query: QueryDict) -> Self:
        """Reads `q`, `status`, `sort`, `page` and `new`."""
        state, order = query.get("status", ""), query.get("sort", NEWEST_FIRST)
        return cls(
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

    @property
    def headers(self) -> list[dict[str, str]]:
        """The sortable columns: label, link, and the current order for `aria-sort`."""
        return [self._header(name, label) for name, label in COLUMNS.items()]

    def _header(self, name: str, label: str) -> dict[str, str]:
        if self.order == name:
            current, next_order = "ascending", f"-{name}"
        elif self.order == f"-{name}":
            current, next_order = "descending", name
        else:
            current, next_order = "", name if name in ("name", "expires") else f"-{name}"
        link = self.query(sort=next_order)
        return {"name": name, "label": label, "query": link, "now": current}

    def query(self, **changes: str) -> str:
        """The URL query of the same list with something changed; defaults are left out."""
        values = {"q": self.search, "status": self.state, "sort": self.order, "page": "", **changes}
        query = QueryDict(mutable=True)
        query.update({k: v for k, v in values.items() if v and (k, v) != ("sort", NEWEST_FIRST)})
        return f"?{query.urlencode()}"

    def searched(self, keys: ApiKeyQuerySet) -> ApiKeyQuerySet:
        """The keys that match the search, whatever their status."""
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
        """The keys of the list, in order, with what it shows of them."""
        rows = self.searched(keys).for_pages()
        if self.state:
            rows = rows.filter(_condition(self.state, timezone.now()))
        column = self.order.removeprefix("-")
        field, nulls_last = F(_FIELDS[column]), column in _MAY_BE_EMPTY or None
        if self.order.startswith("-"):
            return rows.order_by(field.desc(nulls_last=nulls_last), "-id")
        return rows.order_by(field.asc(nulls_last=nulls_last), "-id")


@dataclass(frozen=True, slots=True)
class KeyList:
    """A page of the list as `load` has read it: nothing here makes a query."""

    filter: KeyFilter
    page: "Page[ApiKey]"
    #: The keys of the page, the new one first.
    keys: list[ApiKey]
    #: How many keys match the search in each state, of the first few.
    counts: Mapping[str, int]

    @property
    def is_counted(self) -> bool:
        """Whether the counts are those of all keys."""
        return self.counts[""] <= COUNTED

    @property
    def total(self) -> int:
        """How many keys match, if all are counted."""
        return self.counts[self.filter.state]

    @property
    def states(self) -> list[tuple[str, str]]:
        """The options of the filter, with counts."""
        if not self.is_counted:
            return list(STATES.items())
        return [(state, f"{label} ({self.counts[state]})") for state, label in STATES.items()]

    @property
    def previous(self) -> str:
        """The URL query of the page before."""
        return self.filter.query(page=str(self.page.previous_page_number()))

    @property
    def next(self) -> str:
        """The URL query of the page after."""
        return self.filter.query(page=str(self.page.next_page_number()))


def load(keys: ApiKeyQuerySet, key_filter: KeyFilter) -> KeyList:
    """The page that is asked for, or the nearest one, of `keys` that are not revoked."""
    keys = keys.live()
    counts = _counts(key_filter.searched(keys))
    rows = key_filter.matching(keys)
    if counts[""] > COUNTED:
        page = _uncounted_page(rows, key_filter.page_number)
    else:
        paginator = _CountedPaginator(rows, PAGE_SIZE, total=counts[key_filter.state])
        page = paginator.get_page(key_filter.page_number)
    shown = list(page.object_list)
    if key_filter.new is not None:
        # Its place may be on another page.
        new = [key for key in shown if key.pk == key_filter.new]
        others = [key for key in shown if key.pk != key_filter.new]
        shown = [*(new or keys.for_pages().filter(pk=key_filter.new)), *others]
    return KeyList(key_filter, page, shown, counts)


def _counts(keys: ApiKeyQuerySet) -> dict[str, int]:
    """How many of the first few keys are in each state; one query."""
    now = timezone.now()
    conditions = {state: _condition(state, now) for state in STATES if state}
    counts = keys[: COUNTED + 1].aggregate(
        all=Count("pk"),
        **{state: Count("pk", filter=condition) for state, condition in conditions.items()},
    )
    return {"": counts.pop("all"), **counts}


def _uncounted_page(rows: QuerySet[ApiKey], page_number: str) -> "Page[ApiKey]":
    """One row more than a page has says whether there is a next one."""
    number = int(page_number) if _NUMBER.fullmatch(page_number) else 1
    first = (number - 1) * PAGE_SIZE
    read = list(rows[first : first + PAGE_SIZE + 1])
    if not read and number > 1:
        return Paginator(rows, PAGE_SIZE).get_page(number)
    return Page(
        read[:PAGE_SIZE], number, _CountedPaginator(rows, PAGE_SIZE, total=first + len(read))
    )


class _CountedPaginator(Paginator[Any]):
    """A paginator that knows how many rows there are, and makes no query for it."""

    def __init__(self, rows: QuerySet[ApiKey], per_page: int, *, total: int) -> None:
        super().__init__(rows, per_page)
        self._total = total

    @cached_property
    def count(self) -> int:
        return self._total


def _condition(state: str, now: datetime) -> Q:
    if state == "expiring":
        return status_condition(Status.ACTIVE, now) & Q(expires_at__lte=now + SOON)
    return status_condition(state, now)


_IDLE: Final = timedelta(days=30)


def key_row(key: ApiKey, *, is_new: bool = False) -> dict[str, Any]:
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

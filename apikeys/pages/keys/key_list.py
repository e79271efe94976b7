"""The key list: search, filter, order and pages, with a constant number of queries."""

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
#: Value in the URL → label of the filter.
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
#: Nullable columns, which sort nulls last. For other columns that would rule out an index.
_MAY_BE_EMPTY: Final = ("last-used", "expires")
NEWEST_FIRST: Final = "-created"
#: The most keys that are counted. If more match, the list shows no counts: counting all of them
#: would take longer than the rest of the page.
COUNTED: Final = 2_000
_LONGEST_SEARCH: Final = 100
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """The parameters of the URL's query. Unknown or malformed ones are ignored."""

    search: str
    state: str
    order: str
    page_number: str
    #: A key to show first on the page, regardless of the order.
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
        """The URL query of this list with changes. Defaults are omitted."""
        values = {"q": self.search, "status": self.state, "sort": self.order, "page": "", **changes}
        query = QueryDict(mutable=True)
        query.update({k: v for k, v in values.items() if v and (k, v) != ("sort", NEWEST_FIRST)})
        return f"?{query.urlencode()}"

    def searched(self, keys: ApiKeyQuerySet) -> ApiKeyQuerySet:
        """The keys that match the search, with any status."""
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
    """A page of the list, as read by `load`. Its properties make no queries."""

    filter: KeyFilter
    page: "Page[ApiKey]"
    #: The keys of the page, the new one first.
    keys: list[ApiKey]
    #: State → number of keys that match the search, of at most COUNTED + 1 keys.
    counts: Mapping[str, int]

    @property
    def is_counted(self) -> bool:
        """Whether all keys were counted."""
        return self.counts[""] <= COUNTED

    @property
    def total(self) -> int:
        """How many keys match, if all were counted."""
        return self.counts[self.filter.state]

    @property
    def states(self) -> list[tuple[str, str]]:
        """The options of the filter, with counts if all keys were counted."""
        if not self.is_counted:
            return list(STATES.items())
        return [(state, f"{label} ({self.counts[state]})") for state, label in STATES.items()]

    @property
    def previous(self) -> str:
        """The URL query of the previous page."""
        return self.filter.query(page=str(self.page.previous_page_number()))

    @property
    def next(self) -> str:
        """The URL query of the next page."""
        return self.filter.query(page=str(self.page.next_page_number()))


def load(keys: ApiKeyQuerySet, key_filter: KeyFilter) -> KeyList:
    """The requested page, or the nearest one, of the `keys` that aren't revoked."""
    keys = keys.unrevoked()
    counts = _counts(key_filter.searched(keys))
    rows = key_filter.matching(keys)
    if counts[""] > COUNTED:
        page = _uncounted_page(rows, key_filter.page_number)
    else:
        paginator = _CountedPaginator(rows, PAGE_SIZE, total=counts[key_filter.state])
        page = paginator.get_page(key_filter.page_number)
    shown = list(page.object_list)
    if key_filter.new is not None:
        # It may belong on another page.
        new = [key for key in shown if key.pk == key_filter.new]
        others = [key for key in shown if key.pk != key_filter.new]
        shown = [*(new or keys.for_pages().filter(pk=key_filter.new)), *others]
    return KeyList(key_filter, page, shown, counts)


def _counts(keys: ApiKeyQuerySet) -> dict[str, int]:
    """State → number of keys, of the first COUNTED + 1. Makes one query."""
    now = timezone.now()
    conditions = {state: _condition(state, now) for state in STATES if state}
    counts = keys[: COUNTED + 1].aggregate(
        all=Count("pk"),
        **{state: Count("pk", filter=condition) for state, condition in conditions.items()},
    )
    return {"": counts.pop("all"), **counts}


def _uncounted_page(rows: QuerySet[ApiKey], page_number: str) -> "Page[ApiKey]":
    """Reads one row more than a page has, to know whether there is a next page."""
    number = int(page_number) if _NUMBER.fullmatch(page_number) else 1
    first = (number - 1) * PAGE_SIZE
    read = list(rows[first : first + PAGE_SIZE + 1])
    if not read and number > 1:
        return Paginator(rows, PAGE_SIZE).get_page(number)
    return Page(
        read[:PAGE_SIZE], number, _CountedPaginator(rows, PAGE_SIZE, total=first + len(read))
    )


class _CountedPaginator(Paginator[Any]):
    """A paginator with a known total, which makes no query to count rows."""

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
    """The template context of a key in the list."""
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

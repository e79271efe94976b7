"""The key list: pages and rows, with a constant number of queries."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from apikeys import conf
from apikeys.models import ApiKey, ApiKeyQuerySet, ApiKeySecret, Status
from apikeys.pages.keys.key_filter import IDLE, SOON, STATES, KeyFilter, state_condition
from apikeys.scopes import LEVELS, default_scopes, level_of
from core.timestamps import days_between
from organizations.roles import MANAGE_KEYS_SCOPE

PAGE_SIZE: Final = 25
#: The most keys that are counted. If more match, the list shows no counts: counting all of them
#: would take longer than the rest of the page.
COUNTED: Final = 2_000
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyList:
    """A page of the list, as read by `load`. Its properties make no queries."""

    filter: KeyFilter
    page: "Page[ApiKey]"
    #: The keys of the page, the new one first.
    keys: list[ApiKey]
    #: State → number of keys that match the other filters, of at most COUNTED + 1 keys.
    counts: Mapping[str, int]
    #: Key ID → when its old secret expires, if a rotation is in progress.
    old_secrets: Mapping[UUID, datetime]

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
        return [(state, f"{label} ({self.counts[state]:,})") for state, label in STATES.items()]

    @property
    def range(self) -> str:
        """Which of the keys the page has: “1–25 of 2,000 keys”."""
        if self.is_counted and self.total == 1:
            return "1 key"
        shown = f"{self.page.start_index():,}–{self.page.end_index():,}"
        if self.is_counted:
            return f"{shown} of {self.total:,} keys"
        return shown if self.filter.state else f"{shown} of more than {COUNTED:,} keys"

    @property
    def match_text(self) -> str:
        """How many keys match, for screen readers and next to “Clear filters”."""
        if not self.is_counted:
            return f"{len(self.keys)} keys of many"
        return f"{self.total:,} {'key matches' if self.total == 1 else 'keys match'}"

    @property
    def previous(self) -> str:
        """The URL query of the previous page."""
        return self.filter.query(page=str(self.page.previous_page_number()))

    @property
    def next(self) -> str:
        """The URL query of the next page."""
        return self.filter.query(page=str(self.page.next_page_number()))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The template context of each key."""
        return [
            key_row(
                key,
                is_new=key.pk == self.filter.new,
                old_secret_until=self.old_secrets.get(key.pk),
            )
            for key in self.keys
        ]


def load(keys: ApiKeyQuerySet, key_filter: KeyFilter) -> KeyList:
    """The requested page, or the nearest one, of the `keys` that aren't revoked."""
    keys = keys.unrevoked()
    counts = _counts(key_filter.narrowed(keys))
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
    return KeyList(key_filter, page, shown, counts, _old_secrets(shown))


def _counts(keys: ApiKeyQuerySet) -> dict[str, int]:
    """State → number of keys, of the first COUNTED + 1. Makes one query."""
    now = timezone.now()
    conditions = {state: state_condition(state, now) for state in STATES if state}
    counts = keys[: COUNTED + 1].aggregate(
        all=Count("pk"),
        **{state: Count("pk", filter=condition) for state, condition in conditions.items()},
    )
    return {"": counts.pop("all"), **counts}


def _old_secrets(keys: Sequence[ApiKey]) -> dict[UUID, datetime]:
    """Makes one query."""
    secrets = ApiKeySecret.objects.overlapping(timezone.now())
    ends = secrets.filter(key_id__in=[key.pk for key in keys]).values("key_id")
    return dict(ends.annotate(end=Max("ends_at")).values_list("key_id", "end"))


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


@dataclass(frozen=True, slots=True)
class Permissions:
    """A key's permissions in short. `warns` if it can create keys itself."""

    scopes: list[tuple[str, str]]
    total: int
    summary: str
    warns: bool


def permissions_of(key: ApiKey) -> Permissions:
    """`total` counts the permissions that exist, and `scopes` has descriptions."""
    registry = conf.scopes()
    scopes = [(scope, registry.get(scope, "")) for scope in key.scopes]
    return Permissions(
        scopes, len(registry), _summary(key.scopes, registry), MANAGE_KEYS_SCOPE in key.scopes
    )


def _summary(scopes: Sequence[str], registry: Mapping[str, str]) -> str:
    held = set(scopes)
    if held >= set(registry):
        return "Full access"
    if MANAGE_KEYS_SCOPE in held:
        return "Can manage keys"
    if len(scopes) == 1:
        return scopes[0]
    if held == set(default_scopes(registry, None)):
        return "Standard"
    return "Read only" if level_of(held) == LEVELS[0] else "Custom"


#: Why a key is listed as it is: its status, and what else it is worth to know about an active key.
ROTATING: Final = "rotating"
EXPIRING: Final = "expiring"
STOPPED: Final = "stopped"


def key_row(
    key: ApiKey, *, is_new: bool = False, old_secret_until: datetime | None = None
) -> dict[str, Any]:
    """The template context of a key in a list. `old_secret_until` if it is being rotated."""
    now = timezone.now()
    end, used = key.expires_at, key.last_used_at
    status = key.status_at(now)
    idle = used is not None and now - used > IDLE
    soon = status is Status.ACTIVE and end is not None and end - now < SOON
    return {
        "key": key,
        "status": status,
        "state": _state(key, status, is_expiring=soon, is_rotating=old_secret_until is not None),
        "is_new": is_new,
        "expires_soon": soon,
        "old_secret_until": old_secret_until,
        "idle_days": days_between(used, now) if used and idle else 0,
        "permissions": permissions_of(key),
    }


def _state(key: ApiKey, status: Status, *, is_expiring: bool, is_rotating: bool) -> str:
    if status is not Status.ACTIVE:
        return status
    if key.service_account and not key.service_account.enabled:
        return STOPPED
    if is_rotating:
        return ROTATING
    return EXPIRING if is_expiring else status

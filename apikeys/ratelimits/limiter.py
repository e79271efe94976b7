"""Rate limiter for keys and organizations, based on the `limits` library."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import redis  # noqa: F401 - limits imports it lazily, which fails in two threads
import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from apikeys.ratelimits.budgets import Budgets, Limit, budgets_of
from apikeys.ratelimits.redis_budget import SharedQuota, WindowRequest
from apikeys.ratelimits.windows import (
    UNKNOWN,
    UNLIMITED,
    Reservation,
    WindowName,
    Windows,
    decide,
    refuse,
    reserve,
    spend,
)

#: Seconds without the shared store after it failed. Short at first, because one slow response is
#: not an outage, then doubled each time up to RETRY_SECONDS.
_FIRST_PAUSE: Final = 0.1
RETRY_SECONDS: Final = 5.0
_creating: Final = threading.Lock()
_created: "Final[dict[str, Limiter]]" = {}
_log = structlog.get_logger(__name__)


class Limiter:
    """Spends the requests that it has reserved in the shared store, and reserves more.

    Authentication doesn't fail if the store does: each process then has a share of each limit.
    """

    def __init__(
        self,
        store: SharedQuota | None,
        processes: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._others = FixedWindowRateLimiter(store) if store else None
        self._others_alone = FixedWindowRateLimiter(MemoryStorage())
        self._windows = Windows(processes if store else 1, clock)
        self._holdings = self._windows.granted if store else self._windows.alone
        self._away_until: float | None = None
        self._pause = _FIRST_PAUSE
        self._lock = threading.Lock()

    def hit(self, key_id: UUID, tier: str, organization_id: UUID, organization_tier: str) -> Limit:
        """Counts a request against its key's and its organization's limit, or against neither."""
        budgets = budgets_of(tier, organization_tier)
        names = (key_id.int, tier), (organization_id.int, organization_tier)
        while True:
            with self._lock:
                now = self._clock()
                key = self._holdings.get(names[0], UNKNOWN)
                organization = UNLIMITED
                if budgets.organization:
                    organization = self._holdings.get(names[1], UNKNOWN)
                if key.held and organization.held and now < key.ends and now < organization.ends:
                    return spend(budgets, key, organization, now)
                used_up = key.is_used_up(now), organization.is_used_up(now)
                if any(used_up):
                    return refuse(budgets, key, organization, now, used_up)
                if not self._may_ask():
                    return self._spend_share(budgets, names)
                reservations = reserve(budgets, names, key, organization, now)
            limit = self._ask(budgets, names, reservations)
            if limit:
                return limit

    def hit_named(self, name: str, limit: str) -> int:
        """Counts something else against a limit such as ``10/minute``.

        Returns 0 if it is within the limit, otherwise the seconds until the window ends.
        """
        item = parse(limit)
        with self._lock:
            asks = self._may_ask()
        if asks and self._others:
            try:
                wait = _hit(self._others, item, name)
            except StorageError:
                self._note_failure()
            else:
                self._note_answer()
                return wait
        # Locked: MemoryStorage loses hits if two threads open a window at the same time.
        with self._lock:
            return _hit(self._others_alone, item, name)

    def is_reachable(self) -> bool:
        """Whether the shared store responds. True without one."""
        return self._store is None or self._store.check()

    def _ask(
        self,
        budgets: Budgets,
        names: tuple[WindowName, WindowName],
        reservations: Sequence[Reservation],
    ) -> Limit | None:
        """Reserves more in the store, without holding the lock meanwhile because it may take long.

        Returns None if other threads have already spent everything that was granted.
        """
        asked_at = self._clock()
        grants = None
        requests = [WindowRequest(r.stored_as, r.budget.limit, r.held) for r in reservations]
        try:
            grants = self._store.take(requests) if self._store else None
        except StorageError:
            self._note_failure()
        else:
            self._note_answer()
        with self._lock:
            for reservation in reservations:
                reservation.holding.held += reservation.held > 0
            if grants is None:
                return self._spend_share(budgets, names)
            holdings = self._windows.fill(reservations, grants, asked_at)
            organization = holdings[1] if budgets.organization else UNLIMITED
            return decide(budgets, holdings[0], organization, self._clock())

    def _spend_share(self, budgets: Budgets, names: tuple[WindowName, WindowName]) -> Limit:
        """Counts a request against this process's share while the store is unreachable."""
        key = self._windows.share(names[0], budgets.key)
        organization = UNLIMITED
        if budgets.organization:
            organization = self._windows.share(names[1], budgets.organization)
        now = self._clock()
        if key.held and organization.held:
            return spend(budgets, key, organization, now)
        return refuse(budgets, key, organization, now, (not key.held, not organization.held))

    def _may_ask(self) -> bool:
        """Whether to use the store. After a failure, one request at a time tries again."""
        if self._store is None or self._away_until is None:
            return self._store is not None
        if self._clock() < self._away_until:
            return False
        self._away_until = self._clock() + self._pause
        return True

    def _note_answer(self) -> None:
        if self._away_until is not None:
            self._away_until, self._pause = None, _FIRST_PAUSE

    def _note_failure(self) -> None:
        with self._lock:
            first = self._away_until is None
            self._away_until = self._clock() + self._pause
            self._pause = min(2 * self._pause, RETRY_SECONDS)
        if first:
            _log.error("rate_limit_store_away", counting="per process")


def _hit(limiter: FixedWindowRateLimiter, item: RateLimitItem, name: str) -> int:
    if limiter.hit(item, name):
        return 0
    ends_at = limiter.get_window_stats(item, name).reset_time
    return max(1, int(ends_at - time.time()) + 1)


def limiter() -> Limiter:
    """The limiter of this process, created on first use and shared by all threads."""
    return _created.get("limiter") or _create_limiter()


def _create_limiter() -> Limiter:
    with _creating:
        if "limiter" not in _created:
            url, timeout = settings.REDIS_URL, settings.REDIS_TIMEOUT
            store = SharedQuota(url, timeout) if url else None
            _created["limiter"] = Limiter(store, settings.RATE_LIMIT_PROCESSES)
        return _created["limiter"]


def forget_limiter() -> None:
    """Makes the next use create a limiter with the settings at that time."""
    budgets_of.cache_clear()
    _created.clear()

"""The rate limiter: one budget per key by tier, on the `limits` library."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple
from uuid import UUID

import redis  # noqa: F401 - limits imports it lazily, which two threads at once upset
import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from apikeys import conf
from apikeys.quota import Grant, SharedQuota

#: After the shared store has failed, for how many seconds this process counts alone before it asks
#: again: briefly at first, since one slow answer is no outage, then twice as long each time.
_FIRST_PAUSE: Final = 0.1
RETRY_SECONDS: Final = 5.0
#: Windows that are kept before those that have ended are looked for.
_MANY: Final = 20_000
_making: Final = threading.Lock()
_made: "Final[dict[str, Limiter]]" = {}
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Limit:
    """Whether a request is within the limit, and where its window stands.

    `remaining` requests as far as this process knows, until the window ends in `resets` seconds.
    """

    allowed: bool
    tier: "Tier"
    remaining: int
    resets: int

    @property
    def retry_after(self) -> int:
        """Seconds after which it is worth trying again; 0 for a request that was let through."""
        return 0 if self.allowed else max(1, self.resets)


class Tier(NamedTuple):
    """The limit of a tier: `amount` requests in `window` seconds, and its RateLimit-Policy."""

    name: str
    limit: RateLimitItem
    amount: int
    window: int
    policy: str


#: Whose window it is: the number of the key, which Python hashes without a call, and the tier.
_Name = tuple[int, str]


@dataclass(slots=True)
class _Holding:
    """What this process may still let through of a window, and what others may take of it."""

    held: int
    left: int
    ends: float


_Holdings = dict[_Name, _Holding]


class Limiter:
    """Spends what it holds of a key's budget, and asks for more in the shared store, if any.

    Authentication never fails because the store does: meanwhile each process has its share.
    """

    def __init__(
        self,
        store: SharedQuota | None,
        processes: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._processes = processes if store else 1
        self._clock = clock
        self._others = FixedWindowRateLimiter(store) if store else None
        self._others_alone = FixedWindowRateLimiter(MemoryStorage())
        self._granted: _Holdings = {}
        self._alone: _Holdings = {}
        self._many = _MANY
        self._away_until: float | None = None
        self._pause = _FIRST_PAUSE
        self._lock = threading.Lock()

    def hit(self, key_id: UUID, tier: str) -> Limit:
        """Counts one request of a key."""
        name, its = (key_id.int, tier), _tier(tier)
        with self._lock:
            now = self._clock()
            holding = self._granted.get(name)
            if holding and now < holding.ends and (holding.held or not holding.left):
                return _spend(holding, its, now)
            if not self._may_ask():
                return _spend(self._share(name, its), its, self._clock())
        return self._ask(name, its)

    def hit_other(self, name: str, limit: str) -> int:
        """Counts something else within a limit such as ``10/minute``.

        0 where it is within, else the seconds until the window ends.
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
        # In turns: threads that open a window together make MemoryStorage forget hits.
        with self._lock:
            return _hit(self._others_alone, item, name)

    def is_reachable(self) -> bool:
        """Whether the shared store answers; without one, the process itself is the store."""
        return self._store is None or self._store.check()

    def _ask(self, name: _Name, its: Tier) -> Limit:
        """Takes more from the store; the lock is free meanwhile, since that may last."""
        asked, grant = self._clock(), None
        try:
            grant = self._store.take(str(UUID(int=name[0])), its.limit) if self._store else None
        except StorageError:
            self._note_failure()
        else:
            self._note_answer()
        with self._lock:
            if grant is None:
                return _spend(self._share(name, its), its, self._clock())
            return _spend(self._add(self._granted, name, grant, asked), its, self._clock())

    def _share(self, name: _Name, its: Tier) -> _Holding:
        """What this process may let through by itself: its part of what is left of the window.

        The process whose memory is the only store has it all. Kept apart from what the store has
        granted, with which the window goes on as soon as the store is back.
        """
        holding = self._current(self._alone, name)
        if holding:
            return holding
        now, shared = self._clock(), self._current(self._granted, name)
        left = shared.left if shared else its.amount
        seconds = shared.ends - now if shared else its.window
        return self._add(self._alone, name, Grant(left // self._processes or 1, 0, seconds), now)

    def _current(self, holdings: _Holdings, name: _Name) -> _Holding | None:
        holding = holdings.get(name)
        return holding if holding and self._clock() < holding.ends else None

    def _add(self, holdings: _Holdings, name: _Name, grant: Grant, asked: float) -> _Holding:
        """Adds a grant to what is held. Its window ends no later here than in the store."""
        ends = asked + grant.seconds
        holding = self._current(holdings, name)
        if holding:
            holding.held, holding.left = holding.held + grant.granted, grant.left
            holding.ends = min(holding.ends, ends)
        else:
            self._forget_ended()
            holding = holdings[name] = _Holding(grant.granted, grant.left, ends)
        return holding

    def _forget_ended(self) -> None:
        if len(self._granted) + len(self._alone) >= self._many:
            now = self._clock()
            for holdings in (self._granted, self._alone):
                for name in [name for name, holding in holdings.items() if holding.ends <= now]:
                    del holdings[name]
            self._many = max(_MANY, 2 * (len(self._granted) + len(self._alone)))

    def _may_ask(self) -> bool:
        """Whether to ask the store; while it is away, one request at a time finds out."""
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


def _spend(holding: _Holding, tier: Tier, now: float) -> Limit:
    allowed = holding.held > 0
    holding.held -= allowed
    remaining, resets = holding.held + holding.left, math.ceil(holding.ends - now)
    return Limit(allowed, tier, remaining, max(0, resets))


@cache
def _tier(name: str) -> Tier:
    tiers = conf.tiers()
    limit = parse(tiers.get(name) or next(iter(tiers.values())))
    amount, window = limit.amount, limit.get_expiry()
    return Tier(name, limit, amount, window, f'"{name}";q={amount};w={window}')


def limiter() -> Limiter:
    """The limiter of this process; threads that ask first, at once, get the same one."""
    return _made.get("limiter") or _make_limiter()


def _make_limiter() -> Limiter:
    with _making:
        if "limiter" not in _made:
            url, patience = settings.REDIS_URL, settings.REDIS_PATIENCE
            store = SharedQuota(url, patience) if url else None
            _made["limiter"] = Limiter(store, settings.RATE_LIMIT_PROCESSES)
        return _made["limiter"]


def forget_limiter() -> None:
    """Makes the limiter anew when it is next asked for, with the settings of then."""
    _tier.cache_clear()
    _made.clear()

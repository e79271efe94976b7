"""The rate limiter: one budget per key by tier, on the `limits` library."""

import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID

import redis  # noqa: F401 - limits imports it lazily, which two threads at once upset
import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter

from apikeys import conf

#: After the shared store has failed, how many seconds this process counts alone before it retries.
RETRY_SECONDS: Final = 5.0
_making: Final = threading.Lock()
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """Whether a request is within the limit, and if not, in how many seconds the window ends."""

    allowed: bool
    retry_after: int = 0


class Limiter:
    """Counts in the shared store where there is one; alone while that is away.

    Authentication never fails because the store does. Memory counts per process.
    """

    def __init__(self, store: Storage | None) -> None:
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._shared = FixedWindowRateLimiter(store) if store else None
        self._away_until = 0.0
        self._lock = threading.Lock()

    def hit(self, key_id: UUID, tier: str) -> Limit:
        """Counts one request of a key."""
        return self._hit(str(key_id), _item(tier))

    def hit_other(self, name: str, limit: str) -> Limit:
        """Counts something else by name, within a limit such as ``10/minute``."""
        return self._hit(name, parse(limit))

    def _hit(self, name: str, item: RateLimitItem) -> Limit:
        if self._shared and time.monotonic() >= self._away_until:
            try:
                return _hit(self._shared, item, name)
            except StorageError:
                self._note_failure()
        # In turns: threads that open a window together make MemoryStorage forget hits.
        with self._lock:
            return _hit(self._alone, item, name)

    def is_reachable(self) -> bool:
        """Whether the shared store answers; without one, the process itself is the store."""
        return self._shared is None or self._shared.storage.check()

    def _note_failure(self) -> None:
        with self._lock:
            first = time.monotonic() >= self._away_until
            self._away_until = time.monotonic() + RETRY_SECONDS
        if first:
            _log.error("rate_limit_store_away", counting="per process")


def _hit(limiter: FixedWindowRateLimiter, item: RateLimitItem, name: str) -> Limit:
    if limiter.hit(item, name):
        return Limit(allowed=True)
    ends_at = limiter.get_window_stats(item, name).reset_time
    return Limit(allowed=False, retry_after=max(1, int(ends_at - time.time()) + 1))


@cache
def _item(tier: str) -> RateLimitItem:
    tiers = conf.tiers()
    return parse(tiers.get(tier) or next(iter(tiers.values())))


def limiter() -> Limiter:
    """The limiter of this process; threads that ask first, at once, get the same one."""
    with _making:
        return _make_limiter()


@cache
def _make_limiter() -> Limiter:
    if not settings.REDIS_URL:
        return Limiter(None)
    store = RedisStorage(
        settings.REDIS_URL, wrap_exceptions=True, socket_timeout=0.25, socket_connect_timeout=0.25
    )
    return Limiter(store)

"""The rate limiter: budgets of keys and of organizations by tier, on the `limits` library."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self
from uuid import UUID

import redis  # noqa: F401 - limits imports it lazily, which two threads at once upset
import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from apikeys.ratelimits.budgets import Budget, Budgets, Limit, budgets_of
from apikeys.ratelimits.redis_budget import Grant, SharedQuota, Wanted

#: After the shared store has failed, for how many seconds this process counts alone before it asks
#: again: briefly at first, since one slow answer is no outage, then twice as long each time.
_FIRST_PAUSE: Final = 0.1
RETRY_SECONDS: Final = 5.0
#: Windows that are kept before those that have ended are looked for.
_MANY: Final = 20_000
_making: Final = threading.Lock()
_made: "Final[dict[str, Limiter]]" = {}
_log = structlog.get_logger(__name__)


#: Whose window it is: the number of the key or the organization, which Python hashes without a
#: call, and the tier.
_Name = tuple[int, str]


@dataclass(slots=True)
class _Holding:
    """What this process may still let through of a window, and what others may take of it."""

    held: int
    left: int
    ends: float

    def is_used_up(self, now: float) -> bool:
        """Whether nothing is left of the window, here or in the store."""
        return not self.held and not self.left and now < self.ends


_Holdings = dict[_Name, _Holding]
#: In place of a window that this process has not asked for, or that has been forgotten.
_UNKNOWN: Final = _Holding(0, 0, 0)
#: In place of the window of an organization without a limit: far more than is ever spent.
_ENDLESS: Final = _Holding(10**18, 0, 10**18)


class _Part(NamedTuple):
    """A window to ask the store about, and the `held` requests of it that the process has.

    If there are any, one of them is reserved: the request that asks does not lose it to others.
    """

    name: _Name
    stored_as: str
    budget: Budget
    holding: _Holding
    held: int

    @classmethod
    def reserve(
        cls, name: _Name, stored_as: str, budget: Budget, holding: _Holding, now: float
    ) -> Self:
        """The part of a request; the lock is held."""
        held = holding.held if now < holding.ends else 0
        if held:
            holding.held -= 1
        return cls(name, stored_as, budget, holding, held)


class Limiter:
    """Spends what it holds of both budgets, and asks for more in the shared store, if any.

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
        self._held = self._granted if store else self._alone
        self._many = _MANY
        self._away_until: float | None = None
        self._pause = _FIRST_PAUSE
        self._lock = threading.Lock()

    def hit(self, key_id: UUID, tier: str, organization_id: UUID, organization_tier: str) -> Limit:
        """Counts one request of a key, against its limit and its organization's or against none."""
        budgets = budgets_of(tier, organization_tier)
        names = (key_id.int, tier), (organization_id.int, organization_tier)
        while True:
            with self._lock:
                now, held = self._clock(), self._held
                key = held.get(names[0], _UNKNOWN)
                organization = held.get(names[1], _UNKNOWN) if budgets.organization else _ENDLESS
                if key.held and organization.held and now < key.ends and now < organization.ends:
                    return _spend(budgets, key, organization, now)
                used_up = key.is_used_up(now), organization.is_used_up(now)
                if any(used_up):
                    return _refuse(budgets, key, organization, now, used_up)
                if not self._may_ask():
                    return self._spend_share(budgets, names)
                parts = _parts(budgets, names, key, organization, now)
            limit = self._ask(budgets, names, parts)
            if limit:
                return limit

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

    def _ask(
        self, budgets: Budgets, names: tuple[_Name, _Name], parts: Sequence[_Part]
    ) -> Limit | None:
        """Takes more from the store; the lock is free meanwhile, since that may last.

        None where other threads have spent what was granted to them all.
        """
        asked, grants = self._clock(), None
        wanted = [Wanted(part.stored_as, part.budget.limit, part.held) for part in parts]
        try:
            grants = self._store.take(wanted) if self._store else None
        except StorageError:
            self._note_failure()
        else:
            self._note_answer()
        with self._lock:
            for part in parts:
                part.holding.held += part.held > 0
            if grants is None:
                return self._spend_share(budgets, names)
            granted = zip(parts, grants, strict=True)
            key, *more = [self._fill(part, grant, asked) for part, grant in granted]
            return _decide(budgets, key, more[0] if more else _ENDLESS, self._clock())

    def _fill(self, part: _Part, grant: Grant, asked: float) -> _Holding:
        """Adds a grant, and returns what the request may spend: what it has reserved, if it did.

        The window of that may have ended meanwhile.
        """
        holding = self._add(self._granted, part.name, grant, asked)
        return part.holding if part.held else holding

    def _spend_share(self, budgets: Budgets, names: tuple[_Name, _Name]) -> Limit:
        """Counts a request while this process counts alone."""
        key, organization = self._share(names[0], budgets.key), _ENDLESS
        if budgets.organization:
            organization = self._share(names[1], budgets.organization)
        now = self._clock()
        if key.held and organization.held:
            return _spend(budgets, key, organization, now)
        return _refuse(budgets, key, organization, now, (not key.held, not organization.held))

    def _share(self, name: _Name, budget: Budget) -> _Holding:
        """What this process may let through by itself: its part of what is left of the window.

        The process whose memory is the only store has it all. Kept apart from what the store has
        granted, with which the window goes on as soon as the store is back.
        """
        holding = self._current(self._alone, name)
        if holding:
            return holding
        now, shared = self._clock(), self._current(self._granted, name)
        left = shared.left if shared else budget.amount
        seconds = shared.ends - now if shared else budget.window
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


def _parts(
    budgets: Budgets,
    names: tuple[_Name, _Name],
    key: _Holding,
    organization: _Holding,
    now: float,
) -> list[_Part]:
    """The windows that a request needs. In a cluster both are on the node of the organization."""
    node = f"{{{UUID(int=names[1][0])}}}"
    stored_as = f"{node}/{UUID(int=names[0][0])}"
    parts = [_Part.reserve(names[0], stored_as, budgets.key, key, now)]
    if budgets.organization:
        parts.append(_Part.reserve(names[1], node, budgets.organization, organization, now))
    return parts


def _decide(budgets: Budgets, key: _Holding, organization: _Holding, now: float) -> Limit | None:
    """Counts a request if there is one in both, refuses it if one is used up; None if neither."""
    now = min(now, key.ends, organization.ends)  # one may have ended while the store was asked
    if key.held and organization.held:
        return _spend(budgets, key, organization, now)
    used_up = not (key.held or key.left), not (organization.held or organization.left)
    return _refuse(budgets, key, organization, now, used_up) if any(used_up) else None


def _spend(budgets: Budgets, key: _Holding, organization: _Holding, now: float) -> Limit:
    key.held -= 1
    organization.held -= 1
    return Limit(
        True,
        budgets,
        key.held + key.left,
        math.ceil(key.ends - now),
        organization.held + organization.left,
        math.ceil(organization.ends - now),
    )


def _refuse(
    budgets: Budgets, key: _Holding, organization: _Holding, now: float, used_up: tuple[bool, bool]
) -> Limit:
    """Counts nothing. Where both limits are used up, the one that lasts longer is named."""
    by_organization = used_up[1] and (not used_up[0] or key.ends < organization.ends)
    stands = _standing(budgets.key, key, now)
    organizations = _standing(budgets.organization, organization, now)
    return Limit(False, budgets, *stands, *organizations, by_organization=by_organization)


def _standing(budget: Budget | None, holding: _Holding, now: float) -> tuple[int, int]:
    """What is left of a window and for how long; of one that has not begun, all."""
    if budget and holding.ends < now:
        return budget.amount, budget.window
    return holding.held + holding.left, math.ceil(holding.ends - now)


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
    budgets_of.cache_clear()
    _made.clear()

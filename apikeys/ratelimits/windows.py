"""The rate limit windows of this process: what it may let through, and the decisions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self
from uuid import UUID

from apikeys.ratelimits.budgets import Budget, Budgets, Limit
from apikeys.ratelimits.redis_budget import Grant

#: Number of windows from which on those that have ended are removed.
_MOST_KEPT: Final = 20_000
#: The ID of the key or organization as an int, which hashes faster than a UUID, and the tier.
WindowName = tuple[int, str]


@dataclass(slots=True)
class Holding:
    """What this process may still let through in a window, and what is left for others."""

    held: int
    left: int
    ends: float

    def is_used_up(self, now: float) -> bool:
        """Whether the window has nothing left, neither here nor in the store."""
        return not self.held and not self.left and now < self.ends


Holdings = dict[WindowName, Holding]
#: Stands for a window that this process has not used or has removed.
UNKNOWN: Final = Holding(0, 0, 0)
#: Stands for the window of an organization without a limit.
UNLIMITED: Final = Holding(10**18, 0, 10**18)


class Windows:
    """The windows of a process. Not thread-safe: the limiter locks them."""

    def __init__(self, processes: int, clock: Callable[[], float]) -> None:
        #: Requests that the store has granted.
        self.granted: Holdings = {}
        #: The shares of this process while the store is unreachable. Separate from `granted`, which
        #: is used again once the store is back.
        self.alone: Holdings = {}
        self._processes = processes
        self._clock = clock
        self._most_kept = _MOST_KEPT

    def fill(
        self, reservations: "Sequence[Reservation]", grants: Sequence[Grant], asked_at: float
    ) -> list[Holding]:
        """Adds what the store granted, and returns the windows that the request may spend from.

        A request may spend what it has reserved, even if that window has ended meanwhile.
        """
        holdings = []
        for reservation, grant in zip(reservations, grants, strict=True):
            holding = self._add(self.granted, reservation.name, grant, asked_at)
            holdings.append(reservation.holding if reservation.held else holding)
        return holdings

    def share(self, name: WindowName, budget: Budget) -> Holding:
        """What this process may let through alone: its share of what is left of the window.

        Without a shared store, the only process has all of it.
        """
        holding = self._current(self.alone, name)
        if holding:
            return holding
        now, shared = self._clock(), self._current(self.granted, name)
        left = shared.left if shared else budget.amount
        seconds = shared.ends - now if shared else budget.window
        return self._add(self.alone, name, Grant(left // self._processes or 1, 0, seconds), now)

    def _current(self, holdings: Holdings, name: WindowName) -> Holding | None:
        holding = holdings.get(name)
        return holding if holding and self._clock() < holding.ends else None

    def _add(self, holdings: Holdings, name: WindowName, grant: Grant, asked_at: float) -> Holding:
        """Adds a grant. The window ends here no later than in the store."""
        ends = asked_at + grant.seconds
        holding = self._current(holdings, name)
        if holding:
            holding.held, holding.left = holding.held + grant.granted, grant.left
            holding.ends = min(holding.ends, ends)
        else:
            self._forget_ended()
            holding = holdings[name] = Holding(grant.granted, grant.left, ends)
        return holding

    def _forget_ended(self) -> None:
        if len(self.granted) + len(self.alone) < self._most_kept:
            return
        now = self._clock()
        for holdings in (self.granted, self.alone):
            for name in [name for name, holding in holdings.items() if holding.ends <= now]:
                del holdings[name]
        self._most_kept = max(_MOST_KEPT, 2 * (len(self.granted) + len(self.alone)))


class Reservation(NamedTuple):
    """A window to request more of, and the `held` requests that the process has.

    If there are any, one is reserved, so that other threads can't take it from this request.
    """

    name: WindowName
    stored_as: str
    budget: Budget
    holding: Holding
    held: int

    @classmethod
    def make(
        cls, name: WindowName, stored_as: str, budget: Budget, holding: Holding, now: float
    ) -> Self:
        """Reserves one of the held requests, if there are any."""
        held = holding.held if now < holding.ends else 0
        if held:
            holding.held -= 1
        return cls(name, stored_as, budget, holding, held)


def reserve(
    budgets: Budgets,
    names: tuple[WindowName, WindowName],
    key: Holding,
    organization: Holding,
    now: float,
) -> list[Reservation]:
    """The windows that a request needs."""
    # A hash tag keeps both windows on the same node of a Redis cluster.
    node = f"{{{UUID(int=names[1][0])}}}"
    stored_as = f"{node}/{UUID(int=names[0][0])}"
    reservations = [Reservation.make(names[0], stored_as, budgets.key, key, now)]
    if budgets.organization:
        reservations.append(
            Reservation.make(names[1], node, budgets.organization, organization, now)
        )
    return reservations


def decide(budgets: Budgets, key: Holding, organization: Holding, now: float) -> Limit | None:
    """Counts a request if both windows allow it, refuses it if one is used up, otherwise None."""
    now = min(now, key.ends, organization.ends)  # one may have ended meanwhile
    if key.held and organization.held:
        return spend(budgets, key, organization, now)
    used_up = not (key.held or key.left), not (organization.held or organization.left)
    return refuse(budgets, key, organization, now, used_up) if any(used_up) else None


def spend(budgets: Budgets, key: Holding, organization: Holding, now: float) -> Limit:
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


def refuse(
    budgets: Budgets, key: Holding, organization: Holding, now: float, used_up: tuple[bool, bool]
) -> Limit:
    """Refuses without counting. If both limits are used up, the one that resets later is named."""
    by_organization = used_up[1] and (not used_up[0] or key.ends < organization.ends)
    remaining, resets = _remaining(budgets.key, key, now)
    organization_remaining, organization_resets = _remaining(
        budgets.organization, organization, now
    )
    return Limit(
        False,
        budgets,
        remaining,
        resets,
        organization_remaining,
        organization_resets,
        by_organization=by_organization,
    )


def _remaining(budget: Budget | None, holding: Holding, now: float) -> tuple[int, int]:
    """Requests and seconds left of a window, all of them if it has not begun."""
    if budget and holding.ends < now:
        return budget.amount, budget.window
    return holding.held + holding.left, math.ceil(holding.ends - now)

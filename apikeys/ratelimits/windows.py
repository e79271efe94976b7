"""The windows of rate limits in this process: what it may let through of each, and decisions."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self
from uuid import UUID

from apikeys.ratelimits.budgets import Budget, Budgets, Limit
from apikeys.ratelimits.redis_budget import Grant

#: Windows that are kept before those that have ended are looked for.
_MOST_KEPT: Final = 20_000
#: Whose window it is: the number of the key or the organization, which Python hashes without a
#: call, and the tier.
WindowName = tuple[int, str]


@dataclass(slots=True)
class Holding:
    """What this process may still let through of a window, and what others may take of it."""

    held: int
    left: int
    ends: float

    def is_used_up(self, now: float) -> bool:
        """Whether nothing is left of the window, here or in the store."""
        return not self.held and not self.left and now < self.ends


Holdings = dict[WindowName, Holding]
#: In place of a window that this process has not asked for, or that has been forgotten.
UNKNOWN: Final = Holding(0, 0, 0)
#: In place of the window of an organization without a limit: far more than is ever spent.
UNLIMITED: Final = Holding(10**18, 0, 10**18)


class Windows:
    """The holdings of a process. Not thread-safe: the limiter has its lock."""

    def __init__(self, processes: int, clock: Callable[[], float]) -> None:
        #: What the store has granted.
        self.granted: Holdings = {}
        #: The shares of this process while it counts alone. Kept apart from what the store has
        #: granted, which counts again when the store is back.
        self.alone: Holdings = {}
        self._processes = processes
        self._clock = clock
        self._most_kept = _MOST_KEPT

    def fill(
        self, reservations: "Sequence[Reservation]", grants: Sequence[Grant], asked_at: float
    ) -> list[Holding]:
        """Adds what the store was asked for, and returns what the request may spend.

        That is what it has reserved, if anything, even if that window has ended meanwhile.
        """
        holdings = []
        for reservation, grant in zip(reservations, grants, strict=True):
            holding = self._add(self.granted, reservation.name, grant, asked_at)
            holdings.append(reservation.holding if reservation.held else holding)
        return holdings

    def share(self, name: WindowName, budget: Budget) -> Holding:
        """What this process may let through alone: its part of what is left of the window.

        The process whose memory is the only store has it all.
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
        """Adds a grant to what is held. Its window ends no later here than in the store."""
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
    """A window to ask the store about, and the `held` requests of it that the process has.

    If there are any, one of them is reserved: the request that asks does not lose it to others.
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
        """Takes a request from what is held, if anything is."""
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
    """The windows that a request needs. In a cluster both are on the node of the organization."""
    node = f"{{{UUID(int=names[1][0])}}}"
    stored_as = f"{node}/{UUID(int=names[0][0])}"
    reservations = [Reservation.make(names[0], stored_as, budgets.key, key, now)]
    if budgets.organization:
        reservations.append(
            Reservation.make(names[1], node, budgets.organization, organization, now)
        )
    return reservations


def decide(budgets: Budgets, key: Holding, organization: Holding, now: float) -> Limit | None:
    """Counts a request if there is one in both, refuses it if one is used up; None if neither."""
    now = min(now, key.ends, organization.ends)  # one may have ended while the store was asked
    if key.held and organization.held:
        return spend(budgets, key, organization, now)
    used_up = not (key.held or key.left), not (organization.held or organization.left)
    return refuse(budgets, key, organization, now, used_up) if any(used_up) else None


def spend(budgets: Budgets, key: Holding, organization: Holding, now: float) -> Limit:
    """Counts a request against both windows."""
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
    """Counts nothing. If both limits are used up, the one that lasts longer is named."""
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
    """What is left of a window and for how long; of one that has not begun, all."""
    if budget and holding.ends < now:
        return budget.amount, budget.window
    return holding.held + holding.left, math.ceil(holding.ends - now)

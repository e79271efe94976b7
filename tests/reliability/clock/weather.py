"""Conditions of a schedule: network delays, and how often processes freeze, stop and start."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Final


@dataclass(frozen=True)
class Weather:
    """Seconds, shares of one, and events a second."""

    random: Random
    #: A packet takes up to `usual`, and in the share `late` of cases up to `latest`.
    usual: float = 0.001
    late: float = 0
    latest: float = 0.5
    #: How often a thread stands still between two steps.
    interrupted: float = 0
    #: How long a commit takes to be visible, at most.
    flush: float = 0.002
    #: For how long a client waits for the database.
    patience: float = 2.0
    #: The length of a schedule.
    seconds: float = 12.0
    #: Those that workers may have.
    leases: tuple[float, ...] = (0.3, 0.5, 1.0, 2.0)
    changes: float = 0.5
    #: The share of changes before which a follower has just polled, and is then cut off.
    surprises: float = 0.2
    freezes: float = 0
    cuts: float = 0
    ends: float = 0
    restarts: float = 0
    prunings: float = 0
    #: Whether NOTIFY reaches the followers.
    notifies: bool = True

    def packet(self) -> float:
        """Seconds that a packet takes."""
        if self.random.random() < self.late:
            return self.random.random() * self.latest
        return self.random.random() * self.usual

    def commit(self) -> float:
        """Seconds that the database takes to make a commit durable and visible."""
        return self.random.random() * self.flush

    def interruption(self) -> float:
        """Seconds for which a thread stands still between two steps; mostly none."""
        if self.random.random() < self.interrupted:
            return self.random.choice((0.001, 0.1, 1.5)) * self.random.random()
        return 0.0


def _calm(random: Random) -> Weather:
    """Everything is quick but for single disasters, which nothing else that is slow can hide."""
    return Weather(
        random,
        seconds=random.choice((8.0, 20.0)),
        freezes=random.choice((0, 0.1)),
        cuts=random.choice((0, 0.3)),
        ends=random.choice((0, 0.1)),
        prunings=random.choice((0, 0.5)),
    )


def _mixed(random: Random) -> Weather:
    """Anything, together with anything else."""
    return Weather(
        random,
        usual=random.choice((0.001, 0.01, 0.05)),
        late=random.choice((0, 0.02, 0.1, 0.3)),
        latest=random.choice((0.5, 2.0, 6.0, 14.0)),
        interrupted=random.choice((0, 0.05, 0.3)),
        flush=random.choice((0.002, 0.1, 0.5, 1.0)),
        patience=random.choice((0.5, 2.0, 4.0, 1000.0)),
        seconds=random.choice((8.0, 12.0, 20.0)),
        changes=random.choice((0.5, 1.0, 2.0)),
        freezes=random.choice((0, 0.05, 0.2)),
        cuts=random.choice((0, 0.1, 0.5)),
        ends=random.choice((0, 0.02, 0.1)),
        restarts=random.choice((0, 0.05, 0.3)),
        prunings=random.choice((0, 0.05, 0.5)),
        notifies=random.random() < 0.7,
    )


def _long_freezes(random: Random) -> Weather:
    """Processes stand still for so long that others remove them."""
    return replace(
        _calm(random), seconds=25.0, leases=(0.5,), changes=0.2, freezes=0.2, cuts=0, prunings=0
    )


def _newcomers(random: Random) -> Weather:
    """Processes start while something changes, and commits are slow."""
    packets = Weather(random, usual=0.005, late=0.15, latest=2.0, flush=0.6, patience=4.0)
    return replace(packets, leases=(2.0,), changes=1.0, ends=0.8)


def _restarts(random: Random) -> Weather:
    """The database goes and comes, and the clock jumps meanwhile."""
    return Weather(random, usual=0.2, leases=(2.0,), changes=1.0, restarts=0.6)


_KINDS: Final[tuple[Callable[[Random], Weather], ...]] = (
    *(_mixed, _mixed, _calm),
    *(_long_freezes, _newcomers, _restarts),
)


def any_weather(random: Random) -> Weather:
    """One of all."""
    return random.choice(_KINDS)(random)


def quiet(random: Random) -> Weather:
    """In which nothing goes wrong."""
    return Weather(random, surprises=0)

"""Decides how long a follower may trust its cache, and which followers are dead.

Works with durations on one clock and does no I/O. It implements everything that the proof in
docs/adr/0018 relies on; the simulation in tests/reliability/clock runs this code.
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Final, Generic, TypeVar

#: In leases: time between polls, time between beats, maximum age of the last beat, and how long
#: another follower sees the same beat before it removes the row.
POLL: Final = 0.45
BEAT: Final = 2.0
PULSE: Final = 5.0
DEAD: Final = 10.0
#: Clocks of two machines run at slightly different rates.
MARGIN: Final = 1.01
#: A process that is further behind empties its cache instead of reading the changes.
MOST_CHANGES: Final = 5_000
NEVER: Final = -math.inf

K = TypeVar("K", bound=Hashable)


class Trust:
    """How long one process may trust its cache, based on the numbers that it has seen.

    `until` is a time on the process's monotonic clock. Readers compare it with the time **before**
    they read the cache. `applied` is the number up to which the cache reflects every change, None
    while the process isn't registered.
    """

    __slots__ = ("_beaten", "_polled", "applied", "lease", "until")

    def __init__(self) -> None:
        self.lease = 0.0
        self.applied: int | None = None
        self.until = NEVER
        self._polled = self._beaten = NEVER

    def lose(self) -> None:
        """Stops trusting the cache. It must be emptied after this and before `register`."""
        self.until = NEVER
        self.applied = None
        self._polled = self._beaten = NEVER

    def register(self, number: int, lease: float, began: float) -> None:
        """Starts with an empty cache. `began` is the time before the number was read."""
        self.lease = lease
        self.applied = number
        self._polled = self._beaten = began
        self._extend()

    def has_lapsed(self, now: float) -> bool:
        """Whether other followers may have removed the row, or there is none."""
        return self.applied is None or now > self._beaten + PULSE * self.lease

    def misses(self, number: int, changes: int) -> bool:
        """Whether a poll lacks changes up to `number`, or the clock went back."""
        return self.applied is None or changes != number - self.applied

    def advance(self, number: int) -> None:
        """Records that the cache reflects all changes up to `number`."""
        if self.applied is not None:  # trust was lost meanwhile and stays lost
            self.applied = number

    def extend(self, began: float) -> None:
        """Records that the poll started at `began` has been applied completely."""
        self._polled = began
        self._extend()

    def beat(self, began: float) -> None:
        """Records that the heartbeat started at `began` found the process's row."""
        self._beaten = began
        self._extend()

    def may_keep(self, number: int) -> bool:
        """Whether a result read at `number` may be cached."""
        return self.applied is not None and number >= self.applied

    def _extend(self) -> None:
        self.until = min(self._polled + self.lease, self._beaten + PULSE * self.lease)


class Watch(Generic[K]):
    """Finds followers whose beat has not changed for `dead` of their leases."""

    def __init__(self, dead: float = DEAD) -> None:
        self._dead = dead
        self._seen: dict[K, tuple[int, float]] = {}

    def look(self, rows: Iterable[tuple[K, int, float]], now: float) -> Mapping[K, int]:
        """The dead among (ID, beat, lease), with the beat at which each may be removed.

        `now` is the time after the rows were read.
        """
        seen, dead = {}, {}
        for follower, beat, lease in rows:
            known = self._seen.get(follower)
            since = known[1] if known and known[0] == beat else now
            seen[follower] = (beat, since)
            if now - since >= self._dead * lease * MARGIN:
                dead[follower] = beat
        self._seen = seen
        return dead

"""What a follower may trust, and which followers have died: durations on one clock, no I/O.

Everything that the proof in docs/adr/0018 is about is decided here. The simulation in
tests/reliability/clock runs this very code.
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Final, Generic, TypeVar

#: In leases: between two polls, between two beats, how old the last beat may be, and how long a
#: cleaner sees the same beat before it removes a follower.
POLL: Final = 0.45
BEAT: Final = 2.0
PULSE: Final = 5.0
DEAD: Final = 10.0
#: Clocks of two machines may run at slightly different rates.
MARGIN: Final = 1.01
#: A process that is further behind empties its cache instead of reading every change.
MOST_CHANGES: Final = 5_000
NEVER: Final = -math.inf

K = TypeVar("K", bound=Hashable)


class Trust:
    """How long one process may believe its cache, by the numbers that it has seen.

    `until` is a moment on the process's monotonic clock. A reader compares it with the time
    **before** it looks into the cache. `applied` is the number up to which the cache reflects
    every change, None while the process is not registered.
    """

    __slots__ = ("_beaten", "_polled", "applied", "lease", "until")

    def __init__(self) -> None:
        self.lease = 0.0
        self.applied: int | None = None
        self.until = NEVER
        self._polled = self._beaten = NEVER

    def lose(self) -> None:
        """Trusts nothing. The cache has to be emptied after this, and before `register`."""
        self.until = NEVER
        self.applied = None
        self._polled = self._beaten = NEVER

    def register(self, number: int, lease: float, began: float) -> None:
        """Begins with an empty cache; `began` is the moment before the number was asked for."""
        self.lease = lease
        self.applied = number
        self._polled = self._beaten = began
        self._extend()

    def has_lapsed(self, now: float) -> bool:
        """Whether the row may have been removed since the last beat, or there is none."""
        return self.applied is None or now > self._beaten + PULSE * self.lease

    def misses(self, number: int, changes: int) -> bool:
        """Whether a poll did not bring every change up to `number`, or the clock went back."""
        return self.applied is None or changes != number - self.applied

    def advance(self, number: int) -> None:
        """The cache reflects all changes up to `number`: older answers stay out."""
        if self.applied is not None:  # lost meanwhile, and it stays lost
            self.applied = number

    def extend(self, began: float) -> None:
        """A poll that began at `began` has been applied whole."""
        self._polled = began
        self._extend()

    def beat(self, began: float) -> None:
        """A beat that began at `began` found the process's own row."""
        self._beaten = began
        self._extend()

    def may_keep(self, number: int) -> bool:
        """Whether an answer may be cached that was read when the clock stood at `number`."""
        return self.applied is not None and number >= self.applied

    def _extend(self) -> None:
        self.until = min(self._polled + self.lease, self._beaten + PULSE * self.lease)


class Watch(Generic[K]):
    """Finds followers whose beat has not moved for `dead` of their leases."""

    def __init__(self, dead: float = DEAD) -> None:
        self._dead = dead
        self._seen: dict[K, tuple[int, float]] = {}

    def look(self, rows: Iterable[tuple[K, int, float]], now: float) -> Mapping[K, int]:
        """The dead among (id, beat, lease), each with the beat that it may be removed at.

        `now` is the moment after the rows were read.
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

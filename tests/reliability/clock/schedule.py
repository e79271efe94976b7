"""Virtual time: events in chronological order, and random numbers from a seed."""

from collections.abc import Callable
from heapq import heappop, heappush
from random import Random
from typing import Final


class Schedule:
    """What happens next. Events of the same moment come in random order."""

    def __init__(self, seed: int) -> None:
        self.seed: Final = seed
        self.random: Final = Random(seed)
        self.now = 0.0
        self._events: list[tuple[float, float, int, Callable[[], None]]] = []
        self._count = 0

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Lets `act` happen so many seconds from now."""
        self._count += 1
        heappush(self._events, (self.now + seconds, self.random.random(), self._count, act))

    def run(self, until: float) -> None:
        """Lets everything happen that is due by then."""
        while self._events and self._events[0][0] <= until:
            self.now, _, _, act = heappop(self._events)
            act()

    def chance(self, share: float) -> bool:
        """True in so many cases of one."""
        return self.random.random() < share

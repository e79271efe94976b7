"""Simulated process: its own monotonic clock, threads as generators, freezing and dying.

A thread yields what it waits for: seconds, a `Nap`, or a statement for the database. It receives
the statement's result or its exception. Between two yields nothing else happens.
"""

from collections.abc import Callable, Generator
from typing import Any, Final, NamedTuple

from tests.reliability.clock.database import Away, Database, Refused, Reply, Statement
from tests.reliability.clock.schedule import Schedule
from tests.reliability.clock.weather import Weather

#: Clocks run at rates that differ from each other by one percent at most.
_FASTEST: Final = 1.01


class Nap(NamedTuple):
    """Waits, unless it is woken."""

    seconds: float


Steps = Generator[float | Nap | Statement, Any, None]


class Process:
    """A process without a cache, such as a command. All its seconds are those of its own clock."""

    def __init__(self, schedule: Schedule, weather: Weather, database: Database) -> None:
        random = schedule.random
        self.schedule, self.weather, self.database = schedule, weather, database
        self.is_alive = True
        #: How often it was frozen.
        self.freezes = 0
        self._rate = random.choice((1.0, _FASTEST, 1 + random.random() * (_FASTEST - 1)))
        self._offset = random.random() * 1000
        self._frozen_until = self._cut_off_until = 0.0
        self._wake: Callable[[], None] | None = None
        self._is_woken = False

    def now(self) -> float:
        """Its monotonic clock, which goes on while it is frozen."""
        return self._offset + self._rate * self.schedule.now

    def freeze(self, seconds: float) -> None:
        """Stops all threads for so long."""
        self._frozen_until = self.schedule.now + seconds
        self.freezes += 1

    def cut_off(self, seconds: float) -> None:
        """Holds up what its threads send to the database; they go on with what needs none."""
        self._cut_off_until = self.schedule.now + seconds

    def kill(self) -> None:
        """Takes no further step; what it has sent may still arrive."""
        self.is_alive = False

    def wake(self) -> None:
        """Ends a nap; without one, the next does not begin."""
        self._is_woken = True
        if self._wake:
            self._wake()

    def run(self, steps: Steps) -> None:
        """Starts a thread."""
        self._go_on(steps, None)

    def interruption(self) -> Steps:
        """Stands still for a while, or not: other threads and processes go on."""
        seconds = self.weather.interruption()
        if seconds:
            yield seconds

    def _go_on(self, steps: Steps, outcome: object) -> None:
        if not self.is_alive:
            return
        schedule = self.schedule
        if schedule.now < self._frozen_until:
            rest = self._frozen_until - schedule.now + 0.001 * schedule.random.random()
            schedule.after(rest, lambda: self._go_on(steps, outcome))
            return
        try:
            raised = outcome if isinstance(outcome, Exception) else None
            wanted = steps.throw(raised) if raised else steps.send(outcome)
        except (StopIteration, Away, Refused):
            return
        self._wait(steps, wanted)

    def _wait(self, steps: Steps, wanted: float | Nap | Statement) -> None:
        if isinstance(wanted, Nap):
            self._nap(steps, wanted.seconds)
        elif callable(wanted):
            held_up = max(0.0, self._cut_off_until - self.schedule.now)
            resume: Reply = lambda outcome: self._go_on(steps, outcome)  # noqa: E731
            self.database.send(wanted, resume, held_up=held_up)
        else:
            self.schedule.after(wanted / self._rate, lambda: self._go_on(steps, None))

    def _nap(self, steps: Steps, seconds: float) -> None:
        def end() -> None:
            if self._wake is end:
                self._wake, self._is_woken = None, False
                self._go_on(steps, None)

        self._wake = end
        self.schedule.after(0 if self._is_woken else seconds / self._rate, end)

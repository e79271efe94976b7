"""Simulated revocation: commits, waits for the followers and returns."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tests.reliability.clock.database import Target, simple
from tests.reliability.clock.process import Process, Steps
from tests.reliability.clock.rules import Rules
from tests.reliability.clock.worker import Worker

#: As in `core.revocation_clock.waiting`.
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.05


class Waited(NamedTuple):
    """How an operation has waited, in seconds of its own clock."""

    seconds: float
    #: Those that passed in its own statements, or while its thread stood still.
    spent: float
    #: The longest lease that it has seen of a follower that was behind.
    lease: float
    was_frozen: bool


class Withdrawal:
    """One operation in a process, on what it changes. A write by hand does not wait."""

    def __init__(
        self,
        process: Process,
        rules: Rules,
        answered: Callable[[Mapping[Target, int], Waited], None],
    ) -> None:
        self._process, self._rules, self._answered = process, rules, answered
        self._spent = self._lease = 0.0

    def steps(self, targets: Sequence[Target], *, waits: bool) -> Steps:
        """The thread."""
        process = self._process
        before = process.now()
        revisions: Any = yield process.database.commit(targets)
        if not waits:
            return
        committed, freezes = process.now(), process.freezes
        yield from self._timed(process.interruption())
        if isinstance(process, Worker):
            yield from self._timed(process.follower.catch_up())
        yield from self._wait(committed if self._rules.waits_from_commit else before)
        seconds, was_frozen = process.now() - committed, process.freezes != freezes
        self._answered(revisions, Waited(seconds, self._spent, self._lease, was_frozen))

    def _wait(self, began: float) -> Steps:
        process, database, pause = self._process, self._process.database, _FIRST_PAUSE
        asked = process.now()
        number: Any = yield simple(lambda: database.number)
        self._spent += process.now() - asked
        while True:
            asked = process.now()
            lease: Any = yield simple(lambda: database.longest_lease_behind(number))
            self._spent += process.now() - asked
            self._lease = max(self._lease, lease)
            left = began + self._rules.margin * self._counted(lease) - process.now()
            if not lease or left <= 0:
                return
            yield min(pause, left)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _counted(self, lease: float) -> float:
        """The lease that is waited for."""
        process = self._process
        if self._rules.waits_for_longest_lease or not isinstance(process, Worker):
            return lease
        return process.lease

    def _timed(self, steps: Steps) -> Steps:
        began = self._process.now()
        yield from steps
        self._spent += self._process.now() - began

"""Simulated database: committed data, the lock on the clock, and network delays.

A statement executes at one point in time, on what is visible then. COMMIT and the registration of a
follower become visible some time after they start, because flushing a log takes time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from tests.reliability.clock.rules import Rules
from tests.reliability.clock.schedule import Schedule
from tests.reliability.clock.weather import Weather

#: Kind and id of what can change.
Target = tuple[str, UUID]
#: Takes the result of a statement, or an exception.
Reply = Callable[[object], None]
Statement = Callable[[Reply], None]

#: As in the triggers: how long a commit waits for the clock.
_LOCK_TIMEOUT: Final = 2.0
#: Changes that one poll brings; few, so that followers are often too far behind.
_MOST_CHANGES: Final = 6
_KEPT_CHANGES: Final = 3
#: Seconds for which an acknowledgment may lie in memory only.
_UNFLUSHED: Final = 0.6


class Away(Exception):
    """The database is not there, or has not answered in time; what was asked may still happen."""


class Refused(Exception):
    """The transaction was rolled back."""


class Row(NamedTuple):
    """A follower's row."""

    number: int
    beat: int
    lease: float


class _Commit:
    """A transaction that is ending."""

    def __init__(self, targets: Sequence[Target], reply: Reply) -> None:
        self.targets = targets
        self.reply = reply
        self.numbers: list[int] = []


class Database:
    """The rows that the clock is about.

    `generation` counts restarts. They lose no commit, but for acknowledgments, which wait
    for no disk.
    """

    def __init__(self, schedule: Schedule, weather: Weather, rules: Rules) -> None:
        self.number = 0
        self.followers: dict[int, Row] = {}
        #: How often the state of a key or an organization has changed.
        self.revisions: dict[Target, int] = {}
        self.generation = 0
        self.is_up = True
        self.on_commit: Callable[[], None] = lambda: None
        self._changes: dict[int, Target] = {}
        #: What a follower had acknowledged on disk, and until when that is so at most.
        self._flushed: dict[int, tuple[int, float]] = {}
        self._schedule, self._weather, self._rules = schedule, weather, rules
        self._holder: _Commit | None = None
        self._waiting: deque[_Commit] = deque()
        self._sequence = 0

    # --- The way there and back ---

    def send(self, statement: Statement, resume: Reply, *, held_up: float = 0) -> None:
        """Executes a statement when its packet has arrived, even if its client has given up."""
        there, back = held_up + self._weather.packet(), self._weather.packet()
        generation, patience = self.generation, self._weather.patience
        answered = False

        def answer(outcome: object) -> None:
            nonlocal answered
            if not answered:
                answered = True
                resume(outcome)

        def return_to_client(outcome: object) -> None:
            lost = self.generation != generation
            self._schedule.after(back, lambda: answer(Away() if lost else outcome))

        def arrive() -> None:
            if self.generation != generation or not self.is_up:
                answer(Away())
            else:
                statement(return_to_client)

        self._schedule.after(there, arrive)
        if there + back > patience / 2:
            self._schedule.after(patience, lambda: answer(Away()))

    def restart(self, seconds: float) -> None:
        """Rolls back what has not been committed, and is away for so long."""
        self.generation += 1
        self.is_up = False
        for commit in (self._holder, *self._waiting):
            if commit:
                commit.reply(Away())
        self._holder = None
        self._waiting.clear()
        self._take_back()
        self._schedule.after(seconds, self._start)

    def _take_back(self) -> None:
        for follower, (number, until) in self._flushed.items():
            row = self.followers.get(follower)
            if row is not None and self._schedule.now < until:
                self.followers[follower] = Row(number, row.beat, row.lease)
        self._flushed.clear()

    def _start(self) -> None:
        self.is_up = True

    # --- Transactions that change what a verification says ---

    def commit(self, targets: Sequence[Target]) -> Statement:
        """COMMIT of a transaction that has changed `targets`; the result is their revisions."""

        def statement(reply: Reply) -> None:
            commit = _Commit(targets, reply)
            if not self._rules.numbers_in_commit_order or self._holder is None:
                self._take_numbers(commit)
            else:
                self._waiting.append(commit)
                self._schedule.after(_LOCK_TIMEOUT, lambda: self._give_up(commit))

        return statement

    def _give_up(self, commit: _Commit) -> None:
        if commit in self._waiting:
            self._waiting.remove(commit)
            commit.reply(Refused())

    def _take_numbers(self, commit: _Commit) -> None:
        if self._rules.numbers_in_commit_order:
            self._holder = commit
            self._sequence = self.number
        for _ in commit.targets:
            self._sequence += 1
            commit.numbers.append(self._sequence)
        generation = self.generation
        self._schedule.after(
            self._weather.commit(),
            lambda: self._show(commit) if self.generation == generation else None,
        )

    def _show(self, commit: _Commit) -> None:
        """Everything becomes visible at one moment; then the lock goes on to the next."""
        self._changes.update(zip(commit.numbers, commit.targets, strict=True))
        self.number = max(self.number, *commit.numbers)
        for target in commit.targets:
            self.revisions[target] = self.revisions.get(target, 0) + 1
        if self._holder is commit:
            self._holder = None
            if self._waiting:
                self._take_numbers(self._waiting.popleft())
        commit.reply({target: self.revisions[target] for target in commit.targets})
        self.on_commit()

    def skip(self) -> None:
        """As `migrate` does: a number that stands for no change."""
        if self._holder is None and self._rules.numbers_in_commit_order:
            self.number += 1

    def prune(self) -> None:
        """Keeps the last changes only."""
        for number in sorted(self._changes)[:-_KEPT_CHANGES]:
            del self._changes[number]

    # --- What followers, requests and operations ask ---

    def poll(self, after: int) -> tuple[int, list[Target]]:
        """The number, and the changes after another, though not all if there are too many."""
        if after == self.number:
            return after, []
        numbers = sorted(number for number in self._changes if number > after)
        return self.number, [self._changes[number] for number in numbers[:_MOST_CHANGES]]

    def register(self, follower: int, lease: float) -> Statement:
        """Adds a row, visible a while later; the result is the number that it was made with."""

        def statement(reply: Reply) -> None:
            number, generation = self.number, self.generation

            def show() -> None:
                if self.generation == generation:
                    self.followers[follower] = Row(number, 0, lease)
                    reply(number)

            self._schedule.after(self._weather.commit(), show)

        return statement

    def beat(self, follower: int, number: int) -> bool:
        """Whether the row was there to be moved."""
        row = self.followers.get(follower)
        if row is not None:
            self.followers[follower] = Row(number, row.beat + 1, row.lease)
            self._flushed.pop(follower, None)
        return row is not None

    def acknowledge(self, follower: int, number: int) -> bool:
        """Whether the row was there. A restart may take this back."""
        row = self.followers.get(follower)
        if row is not None:
            now, flushed = self._schedule.now, self._flushed.get(follower)
            if flushed is None or flushed[1] <= now:
                self._flushed[follower] = row.number, now + _UNFLUSHED
            self.followers[follower] = Row(number, row.beat, row.lease)
        return row is not None

    def leave(self, follower: int) -> None:
        """Deletes a row."""
        self.followers.pop(follower, None)

    def remove(self, follower: int, beat: int) -> None:
        """Deletes a row unless its beat has moved."""
        row = self.followers.get(follower)
        if row is not None and row.beat == beat:
            del self.followers[follower]

    def beats(self) -> list[tuple[int, int, float]]:
        """Id, beat and lease of every follower."""
        return [(follower, row.beat, row.lease) for follower, row in self.followers.items()]

    def longest_lease_behind(self, number: int) -> float:
        """The longest lease of those that have not acknowledged the number."""
        return max((row.lease for row in self.followers.values() if row.number < number), default=0)


def simple(call: Callable[[], object]) -> Statement:
    """A statement whose result is there at the moment of its execution."""
    return lambda reply: reply(call())

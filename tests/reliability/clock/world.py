"""One schedule: processes, requests and revocations, and what happens to them at random."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final
from uuid import UUID

from core.revocation_clock.trust import MARGIN
from tests.reliability.clock.database import Database, Target
from tests.reliability.clock.process import Process
from tests.reliability.clock.rules import PROTOCOL, Rules
from tests.reliability.clock.schedule import Schedule
from tests.reliability.clock.weather import Weather, any_weather
from tests.reliability.clock.withdrawal import Waited, Withdrawal
from tests.reliability.clock.worker import Answer, Key, Worker

_ORGANIZATIONS: Final = [UUID(int=100), UUID(int=200)]
_KEYS: Final = [
    Key(UUID(int=organization.int + n), organization, bytes([organization.int, n]))
    for organization in _ORGANIZATIONS
    for n in (1, 2, 3)
]
#: Seconds in which what is under way may end.
_AFTERWARDS: Final = 10.0
_MOST_WORKERS: Final = 4


@dataclass
class Result:
    """What one schedule, or several, have shown."""

    #: The seeds of schedules in which a withdrawn state was accepted after the answer.
    violations: list[int] = field(default_factory=list)
    #: The seeds of schedules in which an operation waited longer than it may.
    late: list[int] = field(default_factory=list)
    #: How often something happened.
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Result") -> None:
        self.violations += other.violations
        self.late += other.late
        self.counts += other.counts


class World:
    """Lets a schedule happen."""

    def __init__(
        self,
        seed: int,
        rules: Rules = PROTOCOL,
        weather: Callable[[Random], Weather] = any_weather,
    ) -> None:
        self._schedule: Final = Schedule(seed)
        self._random: Final = self._schedule.random
        self._weather: Final = weather(self._random)
        self._rules: Final = rules
        self._database: Final = Database(self._schedule, self._weather, rules)
        self._database.on_commit = self._notify
        self._ids: Final = count(1)
        self._workers: list[Worker] = []
        #: A state older than these must not be accepted any more.
        self._floors: dict[Target, int] = {}
        self._result: Final = Result()

    def run(self) -> Result:
        """The whole schedule."""
        for _ in range(self._random.randint(2, 3)):
            self._start_worker()
        weather = self._weather
        self._repeat(weather.changes, lambda: self._change(self._random.random()))
        self._repeat(1.0, self._ask_for_any)
        self._repeat(weather.freezes, self._freeze)
        self._repeat(weather.cuts, self._cut_off)
        self._repeat(weather.ends, self._end_worker)
        self._repeat(weather.ends, self._start_worker)
        self._repeat(weather.restarts, self._restart_database)
        self._repeat(weather.prunings, self._database.prune)
        self._repeat(weather.restarts, self._migrate)
        self._schedule.run(weather.seconds + _AFTERWARDS)
        self._result.counts["schedules"] = 1
        return self._result

    def _repeat(self, rate: float, act: Callable[[], None]) -> None:
        """Lets something happen so many times a second, at random moments."""
        if not rate:
            return

        def again() -> None:
            act()
            next_one()

        def next_one() -> None:
            seconds = self._random.expovariate(rate)
            if self._schedule.now + seconds < self._weather.seconds:
                self._schedule.after(seconds, again)

        next_one()

    def _notify(self) -> None:
        for worker in self._workers:
            if self._weather.notifies and worker.follower.is_listening:
                self._schedule.after(self._weather.packet(), worker.wake)

    # --- Processes ---

    def _start_worker(self) -> None:
        """It is called with all keys, and something changes while it registers."""
        if len(self._workers) < _MOST_WORKERS:
            new_id = self._ids.__next__
            worker = Worker(
                self._schedule, self._weather, self._database, self._rules, self, new_id
            )
            self._workers.append(worker)
            for key in _KEYS:
                self._ask_later(worker, key, 0.3 * self._random.random())
            self._change_soon()

    def _end_worker(self) -> None:
        """In order or by force."""
        if len(self._workers) > 1:
            worker = self._workers.pop(self._random.randrange(len(self._workers)))
            if self._schedule.chance(0.5):
                worker.stop()
            else:
                worker.kill()
            self._result.counts["ends of processes"] += 1

    def _freeze(self) -> None:
        longest = self._random.choice((0.5, 3.0, 8.0, 25.0))
        seconds, worker = longest * self._random.random(), self._random.choice(self._workers)
        worker.freeze(seconds)
        self._change_soon(seconds)
        if self._schedule.chance(0.3):
            self._schedule.after(seconds, lambda: self._surprise(worker))
            self._change(seconds + 0.2 * self._random.random())
        self._result.counts["freezes"] += 1

    def _cut_off(self) -> None:
        longest = self._random.choice((1.0, 4.0, 12.0))
        self._random.choice(self._workers).cut_off(longest * self._random.random())
        self._result.counts["cuts of the network"] += 1

    def _migrate(self) -> None:
        """Often with a restart."""
        if self._schedule.chance(0.5):
            self._restart_database()
        self._database.skip()
        self._change_soon()
        self._result.counts["migrations"] += 1

    def _restart_database(self) -> None:
        if self._database.is_up:
            self._database.restart(self._random.choice((0.05, 0.5, 3.0)) * self._random.random())
            self._result.counts["restarts of the database"] += 1

    # --- Requests ---

    def _ask_for_any(self) -> None:
        self._ask(self._random.choice(self._workers), self._random.choice(_KEYS))

    def _ask(self, worker: Worker, key: Key) -> None:
        """A request is sent now."""
        worker.run(worker.request(key, tuple(self._floors.get(it, 0) for it in key.targets)))

    def accepted(self, key: Key, answer: Answer, floor: tuple[int, ...], *, hit: bool) -> None:
        self._result.counts["hits" if hit else "misses"] += 1
        if any(seen < least for seen, least in zip(answer.revisions, floor, strict=True)):
            self._result.counts["accepted after the answer"] += 1
            if not self._result.violations:
                self._result.violations.append(self._schedule.seed)

    def _ask_everywhere(self, targets: Mapping[Target, int] | list[Target], within: float) -> None:
        """Requests with the keys that `targets` are about, to every worker."""
        keys = [key for key in _KEYS if any(target in targets for target in key.targets)]
        for worker in self._workers:
            for key in keys:
                self._ask_later(worker, key, within * self._random.random())

    def _ask_later(self, worker: Worker, key: Key, seconds: float) -> None:
        self._schedule.after(seconds, lambda: self._ask(worker, key))

    # --- Withdrawals ---

    def _change_soon(self, seconds: float = 0.0) -> None:
        """Something changes just after something else has happened, which is when it hurts."""
        self._change(seconds + self._random.choice((0.02, 0.3, 1.0)) * self._random.random())

    def _change(self, seconds: float) -> None:
        """Something is withdrawn then, and requests before and after it fill the caches."""
        keys = self._random.sample(_KEYS, self._random.choice((1, 1, 1, 3)))
        targets: list[Target] = [("key", key.id) for key in keys]
        if self._schedule.chance(0.2):
            targets = [("organization", self._random.choice(_ORGANIZATIONS))]
        self._ask_everywhere(targets, seconds + 0.3)
        self._schedule.after(seconds, lambda: self._withdraw(targets))

    def _withdraw(self, targets: list[Target]) -> None:
        process: Process = self._random.choice(self._workers)
        if self._schedule.chance(0.4):
            process = Process(self._schedule, self._weather, self._database)  # a command
        operation = Withdrawal(process, self._rules, self._answered)
        process.run(operation.steps(targets, waits=self._schedule.chance(0.8)))
        if self._schedule.chance(self._weather.surprises):
            self._surprise(self._random.choice(self._workers))

    def _surprise(self, worker: Worker) -> None:
        """A worker has just asked, and hears nothing for a while: its trust lasts longest."""
        worker.wake()
        self._schedule.after(self._weather.packet(), lambda: worker.cut_off(3.0))

    def _answered(self, revisions: Mapping[Target, int], waited: Waited) -> None:
        """The answer has arrived as soon as it was sent: the worst case."""
        counts = self._result.counts
        for target, revision in revisions.items():
            self._floors[target] = max(revision, self._floors.get(target, 0))
        counts["withdrawals answered"] += 1
        if waited.seconds < waited.spent + 0.2:
            counts["without waiting for a lease"] += 1
        if not waited.was_frozen and waited.seconds > MARGIN * waited.lease + waited.spent + 1e-6:
            self._result.late.append(self._schedule.seed)
        self._ask_everywhere(revisions, 0.0)
        self._ask_everywhere(revisions, 1.5)

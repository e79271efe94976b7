"""Simulated worker: serves requests from a cache that it keeps up to date."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, cast
from uuid import UUID

from apikeys.verification.key_cache import VerifiedSecrets
from core.revocation_clock.trust import DEAD
from tests.reliability.clock.database import Database, Statement, Target, simple
from tests.reliability.clock.follower import ModelFollower
from tests.reliability.clock.process import Process, Steps
from tests.reliability.clock.rules import Rules
from tests.reliability.clock.schedule import Schedule
from tests.reliability.clock.weather import Weather

if TYPE_CHECKING:
    from apikeys.verification.types import VerifiedKey


class Key(NamedTuple):
    """A key of an organization."""

    id: UUID
    organization_id: UUID
    digest: bytes

    @property
    def targets(self) -> tuple[Target, Target]:
        """What a verification of it depends on."""
        return ("key", self.id), ("organization", self.organization_id)


class Answer(NamedTuple):
    """What a verification has found: those fields that the cache looks at, and the state."""

    key_id: UUID
    organization_id: UUID
    service_account_id: None
    revisions: tuple[int, ...]


class DatabaseRows:
    """The statements of a follower on the modelled database."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def poll(self, after: int) -> Statement:
        return simple(lambda: self._database.poll(after))

    def current(self) -> Statement:
        return simple(lambda: self._database.number)

    def register(self, follower: int, lease: float) -> Statement:
        return self._database.register(follower, lease)

    def beat(self, follower: int, number: int) -> Statement:
        return simple(lambda: self._database.beat(follower, number))

    def acknowledge(self, follower: int, number: int) -> Statement:
        return simple(lambda: self._database.acknowledge(follower, number))

    def leave(self, follower: int) -> Statement:
        return simple(lambda: self._database.leave(follower))

    def remove(self, follower: int, beat: int) -> Statement:
        return simple(lambda: self._database.remove(follower, beat))

    def followers(self) -> Statement:
        return simple(self._database.beats)


class Observer(Protocol):
    """What is told of requests."""

    def accepted(self, key: Key, answer: Answer, floor: tuple[int, ...], *, hit: bool) -> None:
        """A request was accepted; `floor` has the oldest states that it may be accepted on."""


class Worker(Process):
    """A process with a cache and a follower."""

    def __init__(
        self,
        schedule: Schedule,
        weather: Weather,
        database: Database,
        rules: Rules,
        observer: Observer,
        new_id: Callable[[], int],
    ) -> None:
        super().__init__(schedule, weather, database)
        self._rules, self._observer = rules, observer
        self.lease = schedule.random.choice(weather.leases)
        self._cache: Final = VerifiedSecrets()
        self.follower: Final = ModelFollower(
            self._cache,
            DatabaseRows(database),
            self.lease,
            now=self.now,
            new_id=new_id,
            interruption=self.interruption,
            rules=rules,
            looks=schedule.random.choice((1.5, 5.0, DEAD)),
        )
        self.run(self.follower.work())

    def stop(self) -> None:
        """Ends in order."""
        self.follower.is_ending = True
        self.wake()

    def request(self, key: Key, floor: tuple[int, ...]) -> Steps:
        """Verifies a key: from the cache, or else by asking."""
        if self._rules.trust_before_cache:
            found = None
            if self.follower.may_read():
                yield from self.interruption()
                found = self._cache.get(key.digest)
        else:
            found = self._cache.get(key.digest)
            yield from self.interruption()
            found = found if self.follower.may_read() else None
        if found is not None:
            self._observer.accepted(key, cast("Answer", found), floor, hit=True)
            return
        answer, number = yield simple(lambda: self._look_up(key))
        if not self._rules.reads_in_one_statement:
            number = yield simple(lambda: self.database.number)
        yield from self.interruption()
        kept = cast("VerifiedKey", answer)
        if not self.follower.keep(number, lambda: self._cache.put(key.digest, kept)):
            self._cache.know(key.digest)
        self._observer.accepted(key, answer, floor, hit=False)

    def _look_up(self, key: Key) -> tuple[Answer, int]:
        """One statement: the state and the clock's number are of the same moment."""
        revisions = tuple(self.database.revisions.get(target, 0) for target in key.targets)
        return Answer(key.id, key.organization_id, None, revisions), self.database.number

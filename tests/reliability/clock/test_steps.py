"""The simulated follower takes the steps of the real one, in the same order and states.

Both run on the real database, one after the other, through the same events. The test records each
statement and each cache operation, with what the process could trust at that time.
"""

import re
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F

from core import ids
from core.revocation_clock import store
from core.revocation_clock.follower import Follower
from organizations.models import Change, Clock
from organizations.models import Follower as Row
from tests.reliability.clock.database import Statement, simple
from tests.reliability.clock.follower import ModelFollower
from tests.reliability.clock.process import Steps

pytestmark = pytest.mark.usefixtures("committed")

LEASE = 60.0
#: What a statement is, by its text.
STATEMENTS = {
    r"\s*SELECT clock\.number": "poll",
    r"SELECT number FROM": "current",
    r"INSERT INTO organizations_follower": "register",
    r"\s*UPDATE organizations_follower SET number = %s, beat": "beat",
    r"\s*UPDATE organizations_follower SET number = %s\s": "acknowledge",
    r"DELETE FROM organizations_follower WHERE id = %s$": "leave",
    r"SELECT id, beat, lease": "look",
}
Log = list[tuple[str, bool, bool, int | None]]


class Recorder:
    """A cache, and a wrapper of statements."""

    def __init__(self) -> None:
        self.log: Log = []
        self.follower: Follower | ModelFollower | None = None

    def note(self, what: str) -> None:
        if self.follower:
            now, trust = time.monotonic(), self.follower.trust
            state = now < trust.until, now < self.follower.stale_until, trust.applied
            self.log.append((what, *state))

    def drop(self, changes: Iterable[tuple[str, UUID]]) -> None:
        self.note(f"drop {len(list(changes))}")

    def forget(self) -> None:
        self.note("forget")

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        for pattern, name in STATEMENTS.items():
            if re.match(pattern, sql):
                self.note(name)
        return execute(sql, params, many, context)


class Real:
    def __init__(self, recorder: Recorder) -> None:
        self.follower = Follower(recorder)
        self.follower._lease = LEASE

    def step(self) -> None:
        self.follower._step()

    def lose_the_database(self) -> None:
        self.follower._note_away("for the test")


class StoreRows:
    """The model's statements, on the real database. Ids are numbered there."""

    def __init__(self) -> None:
        self._ids: dict[int, UUID] = {}
        self._registered: int | None = None

    def _id(self, follower: int) -> UUID:
        return self._ids.setdefault(follower, ids.new_id())

    def poll(self, after: int) -> Statement:
        def call() -> tuple[int, object]:
            found = store.poll(after)
            return found.number, found.changes

        return simple(call)

    def register(self, follower: int, lease: float) -> Statement:
        """With the number that the model asks for next: `store.register` reads it."""

        def call() -> int:
            self._registered = store.register(self._id(follower), lease, "model")
            return self._registered

        return simple(call)

    def current(self) -> Statement:
        number, self._registered = self._registered, None
        return simple(store.current if number is None else lambda: number)

    def beat(self, follower: int, number: int) -> Statement:
        return simple(lambda: store.beat(self._id(follower), number))

    def acknowledge(self, follower: int, number: int) -> Statement:
        return simple(lambda: store.acknowledge(self._id(follower), number))

    def leave(self, follower: int) -> Statement:
        return simple(lambda: store.leave(self._id(follower)))

    def remove(self, follower: int, beat: int) -> Statement:
        return simple(lambda: store.remove(self._id(follower), beat))

    def followers(self) -> Statement:
        return simple(store.followers)


class Model:
    def __init__(self, recorder: Recorder) -> None:
        numbers = iter(range(100))
        self.follower = ModelFollower(
            recorder,
            StoreRows(),
            LEASE,
            now=time.monotonic,
            new_id=lambda: next(numbers),
            interruption=lambda: _nothing(),
        )

    def step(self) -> None:
        steps, results = self.follower.step(), list[Any]()
        wanted = next(steps, None)
        while wanted is not None:
            assert callable(wanted)
            wanted(results.append)
            try:
                wanted = steps.send(results[-1])
            except StopIteration:
                return

    def lose_the_database(self) -> None:
        self.follower._note_away()


def _nothing() -> Steps:
    yield from ()


Side = Real | Model
Act = Callable[[Side], object]


def _count(_: Side) -> None:
    Clock.objects.update(number=F("number") + 1)


def _change(side: Side) -> None:
    _count(side)
    Change.objects.create(number=Clock.objects.get().number, kind="key", target_id=ids.new_id())


def _remove_row(_: Side) -> None:
    Row.objects.all().delete()


def _must_beat(side: Side) -> None:
    side.follower._beat_at = 0.0


def _make_old(side: Side) -> None:
    """The last beat was long ago."""
    side.follower.trust._beaten -= 6 * LEASE
    side.follower.trust._extend()


def _lose_database(side: Side) -> None:
    side.lose_the_database()


def _step(side: Side) -> None:
    side.step()


def _go_back(_: Side) -> None:
    Clock.objects.update(number=0)


EVENTS: dict[str, tuple[Act, ...]] = {
    "nothing": (),
    "a change": (_change,),
    "a change that was missed": (_count,),
    "a beat is due": (_must_beat,),
    "the row is gone": (_remove_row, _must_beat),
    "the row is gone and something changes": (_remove_row, _change),
    "the last beat is old": (_make_old,),
    "an outage": (_lose_database,),
    "an outage and a missed change": (_lose_database, _count),
    "a clock that went back": (_change, _step, _go_back),
}


def _record(make: type[Real] | type[Model], acts: tuple[Act, ...]) -> Log:
    Clock.objects.update(number=0)
    recorder = Recorder()
    with connection.execute_wrapper(recorder):
        side = make(recorder)
        recorder.follower = side.follower
        side.step()
        for act in (*acts, _step, _step):
            act(side)
    Row.objects.all().delete()
    Change.objects.all().delete()
    return recorder.log


@pytest.mark.parametrize("acts", EVENTS.values(), ids=EVENTS)
def test_the_model_takes_the_steps_of_the_thread(acts: tuple[Act, ...]) -> None:
    real = _record(Real, acts)

    assert real == _record(Model, acts)
    assert len(real) > 5


def test_nothing_is_believed_while_the_row_goes() -> None:
    """Not even what an outage just before has left."""
    log = _record(Real, EVENTS["an outage and a missed change"])

    while_leaving = [(trusted, stale) for what, trusted, stale, _ in log if what == "leave"]
    assert while_leaving == [(False, False)] * 2

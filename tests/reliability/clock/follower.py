"""Simulated thread of a follower, with the steps of `core.revocation_clock.follower`.

The product's own `Trust` and `Watch` decide what is trusted, kept and removed. test_steps.py shows
that the steps have the product's order.
"""

from collections.abc import Callable, Generator
from typing import Any, Final, Protocol

from core.revocation_clock.follower import FollowedCache
from core.revocation_clock.trust import BEAT, DEAD, NEVER, POLL, Trust, Watch
from tests.reliability.clock.database import Away, Statement
from tests.reliability.clock.process import Nap, Steps
from tests.reliability.clock.rules import PROTOCOL, Rules


class Rows(Protocol):
    """The statements of `core.revocation_clock.store`."""

    def poll(self, after: int) -> Statement: ...
    def current(self) -> Statement: ...
    def register(self, follower: int, lease: float) -> Statement: ...
    def beat(self, follower: int, number: int) -> Statement: ...
    def acknowledge(self, follower: int, number: int) -> Statement: ...
    def leave(self, follower: int) -> Statement: ...
    def remove(self, follower: int, beat: int) -> Statement: ...
    def followers(self) -> Statement: ...


class TrustWithoutBeats(Trust):
    """Broken: it believes what it has polled, however long ago the last beat was."""

    def has_lapsed(self, now: float) -> bool:
        return self.applied is None

    def _extend(self) -> None:
        self.until = self._polled + self.lease


class TrustThatMisses(Trust):
    """Broken: it takes what a poll has brought for everything."""

    def misses(self, number: int, changes: int) -> bool:
        return self.applied is None


def _trust(rules: Rules) -> Trust:
    if not rules.heeds_beats:
        return TrustWithoutBeats()
    return Trust() if rules.notices_missed_changes else TrustThatMisses()


class ModelFollower:
    """Registers, polls, beats and removes the dead on behalf of a cache."""

    def __init__(
        self,
        cache: FollowedCache,
        rows: Rows,
        lease: float,
        *,
        now: Callable[[], float],
        new_id: Callable[[], int],
        interruption: Callable[[], Steps],
        rules: Rules = PROTOCOL,
        looks: float = DEAD,
    ) -> None:
        self.trust: Final = _trust(rules)
        self.stale_until = NEVER
        self.is_ending = False
        self.is_listening = False
        self._cache, self._rows, self._lease, self._rules = cache, rows, lease, rules
        self._looks = looks
        self._now, self._new_id, self._interruption = now, new_id, interruption
        self._id = new_id()
        self._watch: Watch[int] = Watch(rules.dead)
        self._beat_at = self._look_at = 0.0
        self._is_away = False
        self._has_turn = False

    def may_read(self) -> bool:
        """Whether the cache may be believed now."""
        now = self._now()
        return now < self.trust.until or now < self.stale_until

    def keep(self, number: int, put: Callable[[], None]) -> bool:
        """Calls `put` for an answer read at `number`, unless the cache is past that already."""
        kept = self.trust.may_keep(number) or not self._rules.compares_numbers
        if kept:
            put()
        return kept

    def work(self) -> Steps:
        """The thread."""
        while not self.is_ending:
            try:
                yield from self._in_turn(self.step())
                yield Nap(POLL * self._lease)
            except Away:
                self._note_away()
                yield POLL * self._lease
        yield from self._in_turn(self._leave())

    def catch_up(self) -> Steps:
        """What a waiting operation of the same process lets its own thread do."""
        began = self._now()
        while self._has_turn:
            if self._now() - began > self._lease:
                return
            yield 0.02 * self._lease
        yield from self._in_turn(self._poll_if_alive())

    def _in_turn(self, steps: Steps) -> Steps:
        while self._has_turn:
            yield 0.02 * self._lease
        self._has_turn = True
        try:
            yield from steps
        finally:
            self._has_turn = False

    def _poll_if_alive(self) -> Steps:
        began = self._now()
        if not self.trust.has_lapsed(began):
            yield from self._poll(began)

    def step(self) -> Steps:
        """One round."""
        now = self._now()
        if not self.trust.has_lapsed(now):
            yield from self._poll(now)
        if self.trust.has_lapsed(now):
            yield from self._start_over()
        if now >= self._beat_at:
            yield from self._beat()
        if now >= self._look_at:
            yield from self._remove_dead()
        self._is_away, self.stale_until, self.is_listening = False, NEVER, True

    def _start_over(self) -> Steps:
        yield self._rows.current()
        self._lose()
        old, self._id = self._id, self._new_id()
        yield self._rows.leave(old)
        began = self._now()
        registered = yield self._rows.register(self._id, self._lease)
        number = yield self._rows.current()
        yield from self._interruption()
        if self._rules.empties_cache:
            self._cache.forget()
        follows_from = number if self._rules.reads_number_after_registering else registered
        self.trust.register(follows_from, self._lease, began)
        self._beat_at = began + BEAT * self._lease

    def _lose(self) -> None:
        if self._rules.loses_trust_before_leaving:
            self.trust.lose()
        else:
            self.trust.applied = None
        if self._rules.loss_ends_staleness:
            self.stale_until = NEVER

    def _poll(self, began: float) -> Steps:
        applied = self.trust.applied
        if applied is None:
            return
        number, changes = yield self._rows.poll(applied)
        if not self._rules.lease_from_before_asking:
            began = self._now()
        yield from self._interruption()
        if number == applied:
            self.trust.extend(began)
        elif self.trust.misses(number, len(changes)):
            self._lose()
        else:
            yield from self._apply(number, changes, began)

    def _apply(self, number: int, changes: Any, began: float) -> Steps:
        if not self._rules.drops_before_acknowledging:
            yield self._rows.acknowledge(self._id, number)
        self._cache.drop(changes)
        self.trust.advance(number)
        yield from self._interruption()
        self.trust.extend(began)
        found = yield self._rows.acknowledge(self._id, number)
        if not found:
            self._lose()

    def _beat(self) -> Steps:
        began, applied = self._now(), self.trust.applied
        if applied is None or self.trust.has_lapsed(began):
            return
        found = yield self._rows.beat(self._id, applied)
        yield from self._interruption()
        if found:
            self.trust.beat(began)
            self._beat_at = began + BEAT * self._lease
        else:
            self._lose()

    def _remove_dead(self) -> Steps:
        rows = yield self._rows.followers()
        now = self._now()
        dead = self._watch.look([row for row in rows if row[0] != self._id], now)
        for follower, beat in dead.items():
            yield self._rows.remove(follower, beat)
        self._look_at = now + self._looks * self._lease

    def _note_away(self) -> None:
        self.is_listening = False
        if not self._is_away:
            self._is_away = True
            self.stale_until = self.trust.until

    def _leave(self) -> Generator[Any, Any, None]:
        self._lose()
        self._cache.forget()
        yield self._rows.leave(self._id)

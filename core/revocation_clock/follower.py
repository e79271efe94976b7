"""Thread that follows the revocation clock for this process's cache."""

import os
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing.util import Finalize
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, connection

from core import ids
from core.redaction import first_line
from core.revocation_clock import store
from core.revocation_clock.triggers import CHANNEL
from core.revocation_clock.trust import BEAT, DEAD, NEVER, POLL, Trust, Watch

#: Old changes are pruned on every nth check of the other followers.
_PRUNE: Final = 30
#: Seconds that a stopping process waits for its follower.
_STOP_SECONDS: Final = 3.0
#: Seconds between two checks of a waiting follower whether it was stopped.
_LONGEST_NAP: Final = 1.0
_log = structlog.get_logger(__name__)


class FollowedCache(Protocol):
    """The cache that a follower keeps up to date."""

    def drop(self, changes: Iterable[tuple[str, UUID]]) -> None:
        """Removes the entries that the changes (kind, ID) affect."""

    def forget(self) -> None:
        """Removes all entries."""


class Follower:
    """Registers, polls, beats and removes dead followers, per `core.revocation_clock.trust`.

    `stale_until` is the time on the monotonic clock until which the cache may be read while the
    database is unavailable, if the operator allows that.
    """

    def __init__(self, cache: FollowedCache) -> None:
        self.trust = Trust()
        self.stale_until = NEVER
        self._cache = cache
        self._lease = self._stale = 0.0
        self._id = ids.new_id()
        self._watch: Watch[UUID] = Watch()
        self._beat_at = self._look_at = 0.0
        self._looks = 0
        self._away = self._heard = False
        self._listening: Any = None
        self._turn = threading.Lock()
        self._kept = threading.Lock()
        self._starting = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def keep(self, number: int, put: Callable[[], None]) -> bool:
        """Calls `put` for a result read at `number`, unless the cache has applied later changes."""
        with self._kept:
            kept = self.trust.may_keep(number)
            if kept:
                put()
        return kept

    def start(self, lease: float, stale: float) -> None:
        """Starts the thread if it isn't running. A lease of 0 seconds disables it."""
        if not lease or self._is_running():
            return
        with self._starting:
            if self._is_running():
                return
            self._lease, self._stale = lease, stale
            self._end = threading.Event()
            self._thread = threading.Thread(target=self._work, name="clock", daemon=True)
            self._thread.start()
            _running.add(self)
        # Servers stop workers the way multiprocessing does, which doesn't run `atexit` handlers.
        Finalize(None, self.stop, exitpriority=20)

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Stops trusting the cache and deletes the process's row."""
        thread = self._thread
        if thread is None:
            return
        self._end.set()
        thread.join(_STOP_SECONDS)
        if thread.is_alive():  # waiting for the database; stops after that
            _log.warning("clock_follower_not_stopped")
            return
        self._thread = None
        _running.discard(self)

    def forget_parent(self) -> None:
        """After a fork: the thread, the row and the connection belong to the parent."""
        self._turn, self._kept, self._starting = (threading.Lock() for _ in range(3))
        self._lose()
        self._id = ids.new_id()
        self._thread, self._listening = None, None
        _running.discard(self)

    def catch_up(self) -> None:
        """Applies committed changes in the calling thread."""
        if not self._turn.acquire(timeout=self._lease):
            return  # the thread is polling, or waits for the database
        try:
            began = time.monotonic()
            if not self.trust.has_lapsed(began):
                self._poll(began)
        finally:
            self._turn.release()

    def _work(self) -> None:
        while not self._end.is_set():
            try:
                with self._turn:
                    self._step()
                self._wait(POLL * self._lease)
            except (DatabaseError, InterfaceError, store.NoClock) as error:
                self._note_away(first_line(error))
                self._end.wait(POLL * self._lease)
            except Exception:  # noqa: BLE001 - without a follower every request queries
                _log.exception("clock_follower_failed")
                with self._turn:
                    self._lose()
                self._note_away("see clock_follower_failed")
                self._end.wait(POLL * self._lease)
        self._leave()

    def may_be_stale(self) -> bool:
        """Whether cached results may be used while the database is unavailable."""
        limit = self.stale_until if self._away else self.trust.until + self._stale
        return time.monotonic() < limit

    def _step(self) -> None:
        self._listen()
        now = time.monotonic()
        if not self.trust.has_lapsed(now):
            self._poll(now)
        if self.trust.has_lapsed(now):
            self._start_over()
        if now >= self._beat_at:
            self._beat()
        if now >= self._look_at:
            self._remove_dead()
        if self._away:
            _log.info("clock_followed_again")
        self._away, self.stale_until = False, NEVER

    def _start_over(self) -> None:
        """Registers a new row, then empties the cache, then trusts it. The order matters.

        Trust ends before the old row is deleted, since revocations stop waiting for this process
        then. While the database is unavailable the cache is kept until the connection is back.
        """
        store.current()
        self._lose()
        old, self._id = self._id, ids.new_id()
        store.leave(old)
        began = time.monotonic()
        number = store.register(self._id, self._lease, _process_name())
        with self._kept:
            self._cache.forget()
            self.trust.register(number, self._lease, began)
        self._beat_at = began + BEAT * self._lease

    def _lose(self) -> None:
        with self._kept:
            self.trust.lose()
            self.stale_until = NEVER

    def _poll(self, began: float) -> None:
        applied = self.trust.applied
        if applied is None:
            return
        found = store.poll(applied)
        if found.number == applied:
            self.trust.extend(began)
        elif self.trust.misses(found.number, len(found.changes)):
            self._lose()
        else:
            with self._kept:  # in this order: if drop fails, the changes are read again
                self._cache.drop(found.changes)
                self.trust.advance(found.number)
            self.trust.extend(began)
            if not store.acknowledge(self._id, found.number):
                self._lose()

    def _beat(self) -> None:
        """Sends a heartbeat. Stops trusting the cache if the row is gone."""
        began, applied = time.monotonic(), self.trust.applied
        if applied is None or self.trust.has_lapsed(began):
            return  # the next step starts over
        if store.beat(self._id, applied):
            self.trust.beat(began)
            self._beat_at = began + BEAT * self._lease
        else:
            self._lose()

    def _remove_dead(self) -> None:
        rows = [row for row in store.followers() if row[0] != self._id]
        now = time.monotonic()
        for dead, beat in self._watch.look(rows, now).items():
            store.remove(dead, beat)
            _log.warning("clock_follower_removed", follower=str(dead))
        if self._looks % _PRUNE == 0:
            store.prune()
        self._looks += 1
        self._look_at = now + DEAD * self._lease

    def _listen(self) -> None:
        """Listens for NOTIFY if the connection is direct, not through a connection pooler."""
        shared = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
        if connection.vendor != "postgresql" or shared:
            return
        connection.ensure_connection()
        if self._listening is not connection.connection:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = connection.connection
            self._listening.add_notify_handler(self._hear)
        # The next poll covers earlier notifications. Later ones are handled by `_hear`.
        with connection.wrap_database_errors:
            self._listening.pgconn.consume_input()
            while self._listening.pgconn.notifies():
                pass
        self._heard = False

    def _hear(self, _: object) -> None:
        """Called for a notification that arrives with the result of another statement."""
        self._heard = True

    def _wait(self, seconds: float) -> None:
        """Waits until the next poll is due or a notification arrives."""
        until = time.monotonic() + seconds
        while not self._heard and not self._end.is_set():
            left = min(until - time.monotonic(), _LONGEST_NAP)
            if left <= 0 or self._nap(left):
                return

    def _nap(self, seconds: float) -> bool:
        """Waits. Returns whether the connection has data, which includes its closing."""
        listening = self._listening
        if listening is None or listening is not connection.connection or listening.closed:
            self._end.wait(seconds)
            return False
        with connection.wrap_database_errors, selectors.DefaultSelector() as selector:
            selector.register(listening, selectors.EVENT_READ)
            return bool(selector.select(seconds))

    def _note_away(self, reason: str) -> None:
        """Logs the outage once. The cache stays usable for `API_KEY_STALE_SECONDS` more."""
        if not self._away:
            self._away = True
            _log.error("clock_not_followed", reason=reason)
            self.stale_until = self.trust.until + self._stale
        self._listening = None
        connection.close()

    def _leave(self) -> None:
        with self._turn:
            self._lose()
            self._cache.forget()
        try:
            store.leave(self._id)
        except (DatabaseError, InterfaceError):
            _log.warning("clock_follower_left_its_row")  # other followers remove it
        connection.close()


def _process_name() -> str:
    return f"{socket.gethostname()[:80]} {os.getpid()}"


_running: Final[set[Follower]] = set()


def running() -> list[Follower]:
    return list(_running)

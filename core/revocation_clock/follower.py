"""The thread that follows the clock on behalf of a process's cache."""

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

#: Looks at other followers between two prunings.
_PRUNE: Final = 30
#: Seconds for which a process that stops waits for its follower.
_STOP_SECONDS: Final = 3.0
#: Seconds after which a follower that waits looks whether it has been stopped.
_LONGEST_NAP: Final = 1.0
_log = structlog.get_logger(__name__)


class FollowedCache(Protocol):
    """What the follower keeps true."""

    def drop(self, changes: Iterable[tuple[str, UUID]]) -> None:
        """Forgets what the changes, by kind and id, are about."""

    def forget(self) -> None:
        """Forgets everything."""


class Follower:
    """Registers, polls, beats and removes the dead, as `core.revocation_clock.trust` decides.

    `stale_until` is the moment, on the monotonic clock, until which the cache may be read although
    the database is away, where the operator has chosen that.
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
        """Calls `put` for an answer read at `number`, unless the cache is past that already."""
        with self._kept:
            kept = self.trust.may_keep(number)
            if kept:
                put()
        return kept

    def start(self, lease: float, stale: float) -> None:
        """Follows from now on, if it does not yet; a lease of 0 seconds is none."""
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
        # Servers end their workers as multiprocessing does, which calls nothing of `atexit`.
        Finalize(None, self.stop, exitpriority=20)

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Trusts nothing any more, and takes the process's row away."""
        thread = self._thread
        if thread is None:
            return
        self._end.set()
        thread.join(_STOP_SECONDS)
        if thread.is_alive():  # it waits for the database, and stops after that
            _log.warning("clock_follower_not_stopped")
            return
        self._thread = None
        _running.discard(self)

    def forget_parent(self) -> None:
        """In a child of a fork: the thread, the row and the connection are its parent's."""
        self._turn, self._kept, self._starting = (threading.Lock() for _ in range(3))
        self._lose()
        self._id = ids.new_id()
        self._thread, self._listening = None, None
        _running.discard(self)

    def catch_up(self) -> None:
        """Applies what has been committed, in the calling thread."""
        if not self._turn.acquire(timeout=self._lease):
            return  # the thread is at it, or waits for the database
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
            except Exception:  # noqa: BLE001 - without a follower every request would ask
                _log.exception("clock_follower_failed")
                with self._turn:
                    self._lose()
                self._note_away("see clock_follower_failed")
                self._end.wait(POLL * self._lease)
        self._leave()

    def may_be_stale(self) -> bool:
        """Whether a cached answer may be used although the database can't be asked."""
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
        """A row of its own, then an empty cache, then trust: in this order.

        Trust is lost before the old row goes, as nothing waits for this process from then on. What
        is left of it while the database is away is kept until the database is known to be back.
        """
        store.current()
        self._lose()
        old, self._id = self._id, ids.new_id()
        store.leave(old)
        began = time.monotonic()
        number = store.register(self._id, self._lease, _process())
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
            with self._kept:  # in this order: if dropping fails, the changes are read again
                self._cache.drop(found.changes)
                self.trust.advance(found.number)
            self.trust.extend(began)
            if not store.acknowledge(self._id, found.number):
                self._lose()

    def _beat(self) -> None:
        """Gives a sign of life; without its row the process trusts nothing."""
        began, applied = time.monotonic(), self.trust.applied
        if applied is None or self.trust.has_lapsed(began):
            return  # and starts over
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
        """Wakes up by NOTIFY where the connection is the process's own, and not a pooler's."""
        shared = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
        if connection.vendor != "postgresql" or shared:
            return
        connection.ensure_connection()
        if self._listening is not connection.connection:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = connection.connection
            self._listening.add_notify_handler(self._hear)
        # What has come before this poll is part of it; what comes during it is heard.
        with connection.wrap_database_errors:
            self._listening.pgconn.consume_input()
            while self._listening.pgconn.notifies():
                pass
        self._heard = False

    def _hear(self, _: object) -> None:
        """Takes a notification that came with the result of another statement."""
        self._heard = True

    def _wait(self, seconds: float) -> None:
        """Until the next poll is due, or sooner where something has changed."""
        until = time.monotonic() + seconds
        while not self._heard and not self._end.is_set():
            left = min(until - time.monotonic(), _LONGEST_NAP)
            if left <= 0 or self._nap(left):
                return

    def _nap(self, seconds: float) -> bool:
        """Whether something has come from the database meanwhile, if only the news of its end."""
        listening = self._listening
        if listening is None or listening is not connection.connection or listening.closed:
            self._end.wait(seconds)
            return False
        with connection.wrap_database_errors, selectors.DefaultSelector() as selector:
            selector.register(listening, selectors.EVENT_READ)
            return bool(selector.select(seconds))

    def _note_away(self, reason: str) -> None:
        """Trust runs out, the operator's `API_KEY_STALE_SECONDS` later."""
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
            _log.warning("clock_follower_left_its_row")  # others remove it
        connection.close()


def _process() -> str:
    """What operators see of a follower."""
    return f"{socket.gethostname()[:80]} {os.getpid()}"


_running: Final[set[Follower]] = set()


def running() -> list[Follower]:
    """The followers of this process."""
    return list(_running)

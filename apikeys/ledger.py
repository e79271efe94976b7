"""What requests leave behind, kept in memory and written in batches by a thread of its own.

A request waits for none of it. A process that is killed loses what it has counted since the last
batch, at most `settings.USAGE_INTERVAL` seconds of it; one that stops in order writes it first.
"""

import contextlib
import threading
import time
from collections import defaultdict
from datetime import UTC, date, datetime
from multiprocessing.util import Finalize
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils import timezone

from apikeys import usage_sql
from apikeys.last_use import INTERVAL, Use, record
from apikeys.recent import Recent
from apikeys.uses import KeyUse
from organizations import writes

#: Secrets whose last use was noted within the last minute, in each of two generations.
_SIZE: Final = 50_000
_HOUR: Final = 3600
#: Seconds for which a process that ends waits for a batch that is being written.
_PATIENCE: Final = 3
_log = structlog.get_logger(__name__)


class Ledger:
    """The open accounts of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[UUID, int, str], int] = defaultdict(int)
        self._scopes: dict[tuple[UUID, str], int] = {}
        self._uses: dict[UUID, Use] = {}
        self._noted: Recent[UUID, datetime] = Recent(_SIZE)
        self._writing = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, use: KeyUse, status: int) -> None:
        """Counts an answered request; no query, and nothing that can wait."""
        now = time.time()
        result = use.result(status)
        key_id = use.found.key_id
        due = self._due(use) if use.usable else None
        with self._lock:
            self._requests[key_id, int(now) // _HOUR, result] += 1
            if use.scope and not use.refusal:
                self._scopes[key_id, use.scope] = int(now)
            if due:
                self._uses[due.found.secret_id] = due
        if self._thread is None and settings.USAGE_INTERVAL:
            self._start()

    def _due(self, use: KeyUse) -> Use | None:
        """The use to record, unless this process has noted one within the minute."""
        found, now = use.found, timezone.now()
        noted = self._noted.get(found.secret_id)
        if noted is not None and noted > now - INTERVAL:
            return None
        due = Use(found, use.origin, now, use.digest)
        if not due.is_due:
            return None
        self._noted.keep(found.secret_id, now)
        return due

    def flush(self) -> None:
        """Writes what is open. What cannot be written stays open."""
        with self._writing:
            with self._lock:
                requests, self._requests = self._requests, defaultdict(int)
                scopes, self._scopes = self._scopes, {}
                uses, self._uses = self._uses, {}
            if uses:
                visited = record(list(uses.values()))
                for secret_id in uses.keys() - visited:
                    self._noted.forget(secret_id)
            if requests or scopes:
                self._write(requests, scopes)

    def _write(
        self, requests: dict[tuple[UUID, int, str], int], scopes: dict[tuple[UUID, str], int]
    ) -> None:
        try:
            with writes.turn(), transaction.atomic():
                usage_sql.add_requests(
                    [(k, _moment(h), result, n) for (k, h, result), n in requests.items()]
                )
                usage_sql.note_scopes([(k, s, _day(at)) for (k, s), at in scopes.items()])
        except DatabaseError as error:
            _log.warning("usage_not_written", reason=str(error).partition("\n")[0])
            with self._lock:
                for account, number in requests.items():
                    self._requests[account] += number
                self._scopes = {**scopes, **self._scopes}

    def discard(self) -> None:
        """Forgets what is open."""
        with self._lock:
            self._requests.clear()
            self._scopes.clear()
            self._uses.clear()
            self._noted.clear()

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._work, name="usage", daemon=True)
            self._thread.start()
        # Servers end their workers as multiprocessing does, which calls nothing of `atexit`.
        Finalize(None, self.close, exitpriority=10)

    def _work(self) -> None:
        while not self._end.wait(settings.USAGE_INTERVAL):
            close_old_connections()
            with contextlib.suppress(Exception):  # the thread goes on whatever happens
                self.flush()
            close_old_connections()
        connection.close()

    def close(self) -> None:
        """Writes what is open, for the last time."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        self.flush()


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * _HOUR, UTC)


def _day(seconds: int) -> date:
    return datetime.fromtimestamp(seconds, UTC).date()


#: The process's own.
ledger: Final = Ledger()

"""Counts usage in memory. A separate thread writes it in batches, so that no request waits.

A process that is killed loses what it counted since the last batch, at most
`settings.USAGE_INTERVAL` seconds. A process that stops normally writes it first.
"""

import threading
import time
from collections import defaultdict
from datetime import UTC, datetime
from functools import lru_cache
from multiprocessing.util import Finalize
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction

from apikeys.usage import bulk_sql
from apikeys.usage.key_request import REFUSED, KeyUse
from apikeys.usage.last_used import INTERVAL, Use, record
from core.bounded_cache import BoundedCache
from core.redaction import first_line
from core.sqlite_writers import write_lock

#: Secrets whose last use was noted within the last minute, in each of two generations.
_SIZE: Final = 50_000
_MINUTE: Final = INTERVAL.total_seconds()
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
#: Seconds for which a stopping process waits for a batch that is being written.
_PATIENCE: Final = 3
_log = structlog.get_logger(__name__)

#: (key, hour, result) → requests. Hours and days count from 1970. All are ints, because UUIDs and
#: datetimes hash more slowly.
_Requests = dict[tuple[int, int, str], int]
#: (key, scope) → day.
_Scopes = dict[tuple[int, str], int]


class UsageRecorder:
    """Counts of this process that are not yet written to the database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: _Requests = defaultdict(int)
        self._scopes: _Scopes = {}
        self._uses: dict[int, Use] = {}
        self._days: BoundedCache[tuple[int, str], int] = BoundedCache(_SIZE)
        self._noted: BoundedCache[int, float] = BoundedCache(_SIZE)
        self._refused: BoundedCache[int, float] = BoundedCache(_SIZE)
        self._writing = threading.Lock()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def note(self, use: KeyUse, status: int) -> None:
        """Counts a request in memory, without any query."""
        now = time.time()
        key, second = use.found.key_id.int, int(now)
        result = use.result(status)
        successful = result not in REFUSED
        with self._lock:
            self._requests[key, second // _HOUR, result] += 1
            if use.scope and successful:
                self._note_scope((key, use.scope), second // _DAY)
            if use.usable:
                self._note_last(use, now, successful=successful)
        if self._thread is None and settings.USAGE_INTERVAL:
            self._start()

    def _note_scope(self, scope: tuple[int, str], day: int) -> None:
        """Notes the day, unless this process has already noted it."""
        if self._days.get(scope) != day:
            self._days.keep(scope, day)
            self._scopes[scope] = day

    def _note_last(self, use: KeyUse, now: float, *, successful: bool) -> None:
        """Notes the use, unless this process has noted one within the last minute.

        Refused requests are noted separately: they must not hide a successful use within that
        minute.
        """
        secret = use.found.secret_id.int
        seen = self._noted if successful else self._refused
        noted = seen.get(secret)
        if noted is not None and now - noted < _MINUTE:
            return
        at = datetime.fromtimestamp(now, UTC)
        due = Use(use.found, use.origin, at, use.digest, successful)
        last = use.found.last_used_at
        if successful and last and not due.is_due:
            seen.keep(secret, last.timestamp())  # another process has noted it
            return
        seen.keep(secret, now)
        if successful:
            self._uses[secret] = due
        elif due.is_due:
            self._uses.setdefault(secret, due)

    def flush(self) -> None:
        """Writes all counts. Keeps counts that can't be written."""
        with self._writing:
            with self._lock:
                requests, self._requests = self._requests, defaultdict(int)
                scopes, self._scopes = self._scopes, {}
                uses, self._uses = self._uses, {}
            if uses:
                visited = record(list(uses.values()))
                for secret in uses.keys() - {secret_id.int for secret_id in visited}:
                    self._noted.forget(secret)
                    self._refused.forget(secret)
            if requests or scopes:
                self._write(requests, scopes)

    def _write(self, requests: _Requests, scopes: _Scopes) -> None:
        try:
            with write_lock(), transaction.atomic():
                bulk_sql.add_requests(
                    [
                        (UUID(int=key), _moment(hour * _HOUR), result, number)
                        for (key, hour, result), number in sorted(requests.items())
                    ]
                )
                bulk_sql.note_scopes(
                    [
                        (UUID(int=key), scope, _moment(day * _DAY).date())
                        for (key, scope), day in sorted(scopes.items())
                    ]
                )
        except DatabaseError as error:
            _log.warning("usage_not_written", reason=first_line(error))
            with self._lock:
                for account, number in requests.items():
                    self._requests[account] += number
                self._scopes = {**scopes, **self._scopes}

    def discard(self) -> None:
        """Forgets all counts that are not written yet."""
        with self._lock:
            self._requests.clear()
            self._scopes.clear()
            self._uses.clear()
            self._days.clear()
            self._noted.clear()
            self._refused.clear()

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._work, name="usage", daemon=True)
            self._thread.start()
        # Servers stop workers as multiprocessing does, which doesn't run `atexit` handlers.
        Finalize(None, self.close, exitpriority=10)

    def _work(self) -> None:
        while not self._end.wait(settings.USAGE_INTERVAL):
            close_old_connections()
            try:
                self.flush()
            except Exception as error:  # noqa: BLE001 - the thread must survive any error
                _log.error("usage_not_written", reason=type(error).__name__)
            close_old_connections()
        connection.close()

    def close(self) -> None:
        """Writes the remaining counts before the process stops."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
        self.flush()


@lru_cache(maxsize=100)
def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


#: The recorder of this process.
recorder: Final = UsageRecorder()

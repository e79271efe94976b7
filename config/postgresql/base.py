"""The backend itself: Django's, but for the class of its connections."""

import contextlib
import threading
import time
from collections.abc import Generator, Sequence
from types import SimpleNamespace
from typing import Any, Final, TypeVar

import psycopg
import structlog
from django.db import DatabaseError, connection
from django.db.backends.postgresql import base
from psycopg.abc import PQGen, PQGenConn

from config import patience
from config.postgresql.prepared import Prepared

RV = TypeVar("RV")
#: Seconds between two looks at the clock.
_INTERVAL: Final = 0.1
#: Seconds between two attempts to find a silent server again.
_PAUSE: Final = 0.5
#: A pooler has handed on another session, or a column of the statement has another type by now.
_NOT_PREPARED: Final = (
    psycopg.errors.DuplicatePreparedStatement,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.InvalidSqlStatementName,
)
_finding_out: Final = threading.Lock()
_log = structlog.get_logger(__name__)


class Silence(psycopg.OperationalError):
    """The server has not answered for as long as this thread may wait."""


class PatientConnection(psycopg.Connection[Any]):
    """Gives up, and itself with it, when the server has been silent for too long.

    libpq's own limits do not help: they see to the wire, which a frozen server keeps in order, and
    `statement_timeout` is the server's to watch.
    """

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        left = patience.left()
        if left is None:
            return super().wait(gen, interval, timeout)
        began, answered = time.monotonic(), True
        try:
            return super().wait(gen, interval, left)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001
            answered = False
            self.close()  # a late answer would be taken for that to the next query
            raise Silence("the database does not answer") from None
        finally:
            patience.note_wait(time.monotonic() - began, answered=answered)
            if not answered:
                _let_find_out()

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Any]:
        """The limit of psycopg itself is two seconds at least, and knows of no budget."""
        if not patience.may_connect():
            _let_find_out()
            raise Silence("the database does not answer")
        steps, left = super()._connect_gen(conninfo), patience.left()
        return steps if left is None else _limited(steps, left)


def _limited(steps: Generator[Any, Any, RV], seconds: float) -> Generator[Any, Any, RV]:
    """The same steps; Silence when they have waited for so long."""
    began, answered = time.monotonic(), True
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() - began >= seconds:
                answered = False
                raise Silence("the database does not answer")
            wanted = steps.send(ready)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        patience.note_wait(time.monotonic() - began, answered=answered)
        if not answered:
            _let_find_out()


def _let_find_out() -> None:
    """Starts the thread that finds out when a silent server is back, unless there is one."""
    if patience.is_silent() and _finding_out.acquire(blocking=False):
        try:
            threading.Thread(target=_find_out, name="database", daemon=True).start()
        except RuntimeError:  # no more threads now; the next request tries again
            _finding_out.release()


def _find_out() -> None:
    """Connects until the server answers, on behalf of all threads of the process."""
    _log.error("database_silent")
    try:
        while patience.is_silent():
            time.sleep(_PAUSE)
            with contextlib.suppress(Exception):  # whatever it is, it is no answer
                connection.ensure_connection()
                patience.note_wait(0, answered=True)
            connection.close()
    finally:
        _finding_out.release()


class DatabaseWrapper(base.DatabaseWrapper):
    """Finds in its driver all that psycopg has, and connections that are patient."""

    Database = SimpleNamespace(**{**vars(psycopg), "connect": PatientConnection.connect})  # type: ignore[assignment]
    _prepared: Prepared | None = None

    def fetch_prepared(self, sql: str, values: Sequence[bytes]) -> tuple[Any, ...] | None:
        """The first row of a query that is planned once in the life of the connection, if it may.

        Planning takes longer than all else that the server does for a query by a unique index
        (docs/adr/0015). Whoever wraps queries (`execute_wrapper`) sees it as any other.
        """
        self.ensure_connection()
        if self.connection.prepare_threshold is not None and not self.execute_wrappers:
            try:
                return self._fetch_prepared(sql, values)
            except DatabaseError as error:
                self._give_up_preparing(error)
        with self.cursor() as cursor:
            cursor.execute(sql, values)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    def _fetch_prepared(self, sql: str, values: Sequence[bytes]) -> tuple[Any, ...] | None:
        """Guarded and logged as Django does it, with its errors."""
        self.validate_thread_sharing()
        self.validate_no_broken_transaction()
        prepared = self._prepared
        if prepared is None or prepared.connection is not self.connection:
            prepared = self._prepared = Prepared(self.connection)
        began = time.monotonic()
        with self.wrap_database_errors:
            row = prepared.first(sql, values)
        if self.queries_logged:
            self.queries_log.append({"sql": sql, "time": f"{time.monotonic() - began:.3f}"})
        return row

    def _give_up_preparing(self, error: Exception) -> None:
        """Not with this connection any more, if that is what the error is about; or else raises."""
        if not isinstance(error.__cause__, _NOT_PREPARED):
            raise error
        self.connection.prepare_threshold = None
        _log.warning("statement_not_prepared", reason=str(error).partition("\n")[0])

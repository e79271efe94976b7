"""Django's PostgreSQL backend with connections that limit how long they wait (docs/adr/0013)."""

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
from django.utils.functional import cached_property
from psycopg.abc import PQGen, PQGenConn

from config.postgresql import read_only, wait_budget
from config.postgresql.cancel import cancel_later
from config.postgresql.limits import ErrorWrapper, session_options
from config.postgresql.prepared import Prepared
from config.postgresql.validation import DatabaseValidation
from core.redaction import first_line

RV = TypeVar("RV")
#: Seconds between two looks at the clock.
_INTERVAL: Final = 0.1
#: Seconds between two attempts to find a silent server again.
_PAUSE: Final = 0.5
#: After this part of its time a wait asks for a second opinion, so that an outage is known by the
#: time that the wait gives up.
_DOUBT: Final = 0.5
#: Seconds in which a server that is not silent connects and answers a trivial query.
_OPINION: Final = 1.0
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
    """Gives up, and itself with it, when the server has not answered for too long.

    libpq's own limits do not help: they see to the wire, which a frozen server keeps in order, and
    `statement_timeout` is the server's to watch.
    """

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        left = wait_budget.left()
        if left is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(_limited(gen, left), min(interval, left))
        except Silence:
            cancel_later(self.pgconn)
            self.close()  # a late answer would be taken for that to the next query
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Any]:
        """The limit of psycopg itself is two seconds at least, and knows of no budget."""
        if not wait_budget.may_connect():
            _let_find_out()
            raise Silence("the database does not answer")
        steps, left = super()._connect_gen(conninfo), wait_budget.left()
        return steps if left is None else _limited(steps, left)


def _limited(steps: Generator[Any, Any, RV], seconds: float) -> Generator[Any, Any, RV]:
    """The same steps; raises Silence when they have waited for so long.

    Halfway it has another thread find out whether the server answers at all. If it does not, the
    wait is cut short.
    """
    began, answered, doubted = time.monotonic(), True, False
    try:
        wanted = next(steps)
        while True:
            ready = yield wanted
            wanted = steps.send(ready)
            waited, left = time.monotonic() - began, wait_budget.left()
            if waited >= seconds or (left is not None and waited >= left):
                answered = False
                raise Silence("the database does not answer")
            if not doubted and waited >= seconds * _DOUBT:
                doubted = True
                _let_find_out()
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    finally:
        wait_budget.note_wait(time.monotonic() - began, answered=answered)
        if not (answered or doubted):
            _let_find_out()


def _let_find_out() -> None:
    """Starts the thread that finds out whether the server answers, unless there is one."""
    if _finding_out.acquire(blocking=False):
        try:
            threading.Thread(target=_find_out, name="database", daemon=True).start()
        except RuntimeError:  # no more threads now; the next request tries again
            _finding_out.release()


def _find_out() -> None:
    """A second opinion; if the server is silent, asks it until it answers."""
    try:
        if not wait_budget.is_silent():
            wait_budget.begin_second_opinion()
            with wait_budget.Budget(_OPINION):
                _ask()
            if not wait_budget.end_second_opinion():
                return
        _log.error("database_silent")
        while wait_budget.is_silent():
            time.sleep(_PAUSE)
            _ask()
    finally:
        _finding_out.release()


def _ask() -> None:
    """A trivial query on a connection of this thread's own; notes whether there is an answer."""
    with contextlib.suppress(Exception):  # one that the server sends is noted as an answer
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        wait_budget.note_wait(0, answered=True)
    with contextlib.suppress(Exception):
        connection.close()


class DatabaseWrapper(base.DatabaseWrapper):
    """Finds in its driver all that psycopg has, and connections that are patient."""

    Database = SimpleNamespace(**{**vars(psycopg), "connect": PatientConnection.connect})  # type: ignore[assignment]
    validation_class = DatabaseValidation
    _prepared: Prepared | None = None
    _opened_at = 0.0

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        """Also reports a session that the server has ended, or that only reads, as away."""
        return ErrorWrapper(self)

    def get_connection_params(self) -> dict[str, Any]:
        """With the limits that the server itself keeps for a process that serves requests."""
        return session_options(super().get_connection_params(), self.settings_dict)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Remembers when it was opened."""
        self._opened_at = time.monotonic()
        return super().get_new_connection(conn_params)

    def close_if_unusable_or_obsolete(self) -> None:
        """Also gives up a connection that may lead to a server that takes no writes."""
        if not self.in_atomic_block and read_only.is_suspect(self._opened_at):
            self.close()
        super().close_if_unusable_or_obsolete()

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
        _log.warning("statement_not_prepared", reason=first_line(error))

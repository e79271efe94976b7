"""What of psycopg is overridden or used though it is not documented, all in this module.

`Connection.wait`, which each query runs through, and `Connection._connect_gen` are overridden to
give up when PostgreSQL is silent for longer than a request may wait. The public timeouts cannot do
this: `connect_timeout` is two seconds at least, `tcp_user_timeout` watches the wire, which a frozen
server keeps in order, and `statement_timeout` is the server's own.

`generators.execute` and `Transformer` send the query of a verification past psycopg's cursors.

Read in psycopg 3.3; tests/config/test_postgresql.py fails when they change.
"""

import contextlib
import hashlib
import threading
import time
from collections.abc import Generator, Sequence
from typing import Any, Final, TypeVar

import psycopg
import structlog
from django.db import connection
from psycopg import errors, generators, pq
from psycopg.abc import PQGen, PQGenConn
from psycopg.adapt import Transformer

from config.postgresql import wait_budget
from config.postgresql.cancel import cancel_later

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
_BYTEA: Final = psycopg.adapters.types["bytea"].oid
_finding_out: Final = threading.Lock()
_log = structlog.get_logger(__name__)


class Silence(psycopg.OperationalError):
    """The server has not answered for as long as this thread may wait."""


class PatientConnection(psycopg.Connection[Any]):
    """Gives up, and closes itself, when the server has not answered for too long."""

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
        """Limits connecting by what is left of the request's budget."""
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


class Prepared:
    """Statements that are planned once for a connection, and sent past psycopg's cursors.

    What they raise is psycopg's. Compared with a cursor of psycopg's this saves 4 to 25 % of a cold
    request's CPU (docs/adr/0020), and names that follow from the statement keep a pooler from
    running what another client has prepared (docs/adr/0015).
    """

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self._names: dict[str, bytes] = {}
        self._rows = Transformer(connection)

    def first(self, sql: str, values: Sequence[bytes]) -> tuple[Any, ...] | None:
        """The first row; `sql` has a ``%s`` for each of the values and no other per cent sign."""
        with self.connection.lock:
            name = self._names.get(sql) or self._prepare(sql, len(values))
            formats = [pq.Format.BINARY] * len(values)
            self.connection.pgconn.send_query_prepared(name, values, param_formats=formats)
            result = self._answer()
        self._rows.set_pgresult(result)
        return self._rows.load_row(0, tuple) if result.ntuples else None

    def _prepare(self, sql: str, values: int) -> bytes:
        numbered = sql % tuple(f"${number + 1}" for number in range(values))
        name = name_of(sql)
        self.connection.pgconn.send_prepare(name, numbered.encode(), [_BYTEA] * values)
        self._answer()
        self._names[sql] = name
        return name

    def _answer(self) -> "pq.abc.PGresult":
        """Waits for it as for any other, so that a silent server is given up."""
        steps = generators.execute(self.connection.pgconn)
        result: pq.abc.PGresult = self.connection.wait(steps)[-1]
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise errors.error_from_result(result)
        return result


def name_of(sql: str) -> bytes:
    """Follows from the statement: a session that was exchanged has the same one or none."""
    return b"latchkey_" + hashlib.sha256(sql.encode()).hexdigest()[:16].encode()

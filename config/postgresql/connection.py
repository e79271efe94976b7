"""Everything undocumented that this project overrides or uses in psycopg.

`Connection.wait`, which each query runs through, and `Connection._connect_gen` are overridden to
give up when PostgreSQL doesn't respond for longer than a request may wait. The public timeouts
can't do this: `connect_timeout` is at least two seconds, `tcp_user_timeout` only watches the
network connection, which works even if the server is frozen, and `statement_timeout` is enforced by
the server itself.

`generators.execute` and `Transformer` send the query of a verification without psycopg's cursors.

Written for psycopg 3.3. tests/config/test_postgresql.py fails when these change.
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
#: Seconds between two checks of the time.
_INTERVAL: Final = 0.1
#: Seconds between two attempts to reach an unresponsive server.
_PAUSE: Final = 0.5
#: After this fraction of its time, a wait starts a second opinion, so that an outage is detected
#: before the wait gives up.
_DOUBT: Final = 0.5
#: Timeout of the second opinion in seconds: enough to connect and run a trivial query.
_OPINION: Final = 1.0
_BYTEA: Final = psycopg.adapters.types["bytea"].oid
_finding_out: Final = threading.Lock()
_log = structlog.get_logger(__name__)


class Silence(psycopg.OperationalError):
    """The server has not responded for as long as this thread may wait."""


class PatientConnection(psycopg.Connection[Any]):
    """Gives up and closes itself if the server doesn't respond in time."""

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        left = wait_budget.left()
        if left is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(_limited(gen, left), min(interval, left))
        except Silence:
            cancel_later(self.pgconn)
            self.close()  # the next query would read the late result
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Any]:
        """Limits connecting to what is left of the request's budget."""
        if not wait_budget.may_connect():
            _let_find_out()
            raise Silence("the database does not respond")
        steps, left = super()._connect_gen(conninfo), wait_budget.left()
        return steps if left is None else _limited(steps, left)


def _limited(steps: Generator[Any, Any, RV], seconds: float) -> Generator[Any, Any, RV]:
    """The same steps. Raises Silence once they have waited for too long.

    Halfway, another thread checks whether the server responds at all. If it doesn't, this wait is
    shortened.
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
                raise Silence("the database does not respond")
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
    """Starts the thread that checks the server, unless it is running."""
    if _finding_out.acquire(blocking=False):
        try:
            threading.Thread(target=_find_out, name="database", daemon=True).start()
        except RuntimeError:  # no thread can be started; the next request tries again
            _finding_out.release()


def _find_out() -> None:
    """Gets a second opinion. Retries an unresponsive server until it responds."""
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
    """Runs a trivial query on this thread's own connection, and notes whether it was answered."""
    with contextlib.suppress(Exception):  # an error from the server counts as a response
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        wait_budget.note_wait(0, answered=True)
    with contextlib.suppress(Exception):
        connection.close()


class Prepared:
    """Statements that are prepared once per connection and sent without psycopg's cursors.

    Raises psycopg's exceptions. Compared with psycopg's cursors, this saves 4 to 25 % of a cold
    request's CPU time (docs/adr/0020). Names derived from the statement prevent a pooler from
    running what another client has prepared (docs/adr/0015).
    """

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection
        self._names: dict[str, bytes] = {}
        self._rows = Transformer(connection)

    def first(self, sql: str, values: Sequence[bytes]) -> tuple[Any, ...] | None:
        """The first row. `sql` must contain one ``%s`` per value and no other percent sign."""
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
        """The result. Waits as for other queries, so that an unresponsive server is given up."""
        steps = generators.execute(self.connection.pgconn)
        result: pq.abc.PGresult = self.connection.wait(steps)[-1]
        if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            raise errors.error_from_result(result)
        return result


def name_of(sql: str) -> bytes:
    """Derived from the statement: a session swapped by a pooler has the same one or none."""
    return b"latchkey_" + hashlib.sha256(sql.encode()).hexdigest()[:16].encode()

"""Statements that are planned once for each connection, and sent past psycopg's cursors.

A cursor sees to everything that a query may be. For one query with values of one type that takes
longer than the query itself (docs/adr/0015).
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import errors, generators, pq
from psycopg.adapt import Transformer

_BYTEA: Final = psycopg.adapters.types["bytea"].oid


class Prepared:
    """The statements of one connection. What they raise is psycopg's."""

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

"""Timeouts that PostgreSQL enforces on sessions, and errors that mean it is unavailable."""

from types import TracebackType
from typing import Any, Final

import psycopg
from django.db.utils import DatabaseErrorWrapper

from config.postgresql import read_only, wait_budget

#: Fraction of a request's time after which the server cancels its query: just before it gives up.
_STATEMENT: Final = 0.9
#: Multiple of a request's time for which a transaction may be idle. A frozen worker must not hold
#: row locks for long, but a busy worker must not lose its transaction.
_IDLE: Final = 2
#: Errors of a session that the server has ended. psycopg makes them InternalErrors.
_ENDED: Final = (
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.TransactionTimeout,
)


def session_options(params: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Adds the server's timeouts to the connection's parameters, except in commands.

    They are startup parameters. A pooler would reject them, and SET would affect other clients of
    the pooled session (docs/operations).
    """
    seconds = wait_budget.serving_limit()
    if seconds is None or settings.get("DISABLE_SERVER_SIDE_CURSORS"):
        return params
    limits = {
        "statement_timeout": max(1, int(seconds * _STATEMENT * 1000)),
        "idle_in_transaction_session_timeout": max(1, int(seconds * _IDLE * 1000)),
    }
    ours = " ".join(f"-c {name}={milliseconds}" for name, milliseconds in limits.items())
    # The last value wins, so that DATABASE_URL can override these.
    return {**params, "options": f"{ours} {params.get('options', '')}".rstrip()}


#: Error of a former primary after a failover. psycopg makes it an InternalError, too.
_READ_ONLY: Final = psycopg.errors.ReadOnlySqlTransaction


class ErrorWrapper(DatabaseErrorWrapper):
    """Also converts errors of ended and read-only sessions to OperationalError.

    Both are temporary, not bugs.
    """

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(exc_value, _READ_ONLY):
            read_only.note()
        if isinstance(exc_value, (*_ENDED, _READ_ONLY)):
            exc_value = psycopg.OperationalError(str(exc_value))
            exc_type = psycopg.OperationalError
        super().__exit__(exc_type, exc_value, traceback)

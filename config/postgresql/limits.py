"""Limits that PostgreSQL keeps for sessions that serve requests, and errors that mean “away”."""

from types import TracebackType
from typing import Any, Final

import psycopg
from django.db.utils import DatabaseErrorWrapper

from config.postgresql import read_only, wait_budget

#: The server cancels a query a little before its request gives up.
_STATEMENT: Final = 0.9
#: A transaction may stay idle for twice the time that a request may wait: a frozen worker must not
#: hold its row locks for long, and one that is only busy must not lose its transaction.
_IDLE: Final = 2
#: Of a session that the server has ended; psycopg files them under InternalError.
_ENDED: Final = (
    psycopg.errors.IdleInTransactionSessionTimeout,
    psycopg.errors.TransactionTimeout,
)


def session_options(params: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """The connection's parameters with the server's limits for it; none for commands.

    They are parameters of the session's start. A pooler would refuse these, and a SET would reach
    other clients of the pooled session (docs/operations).
    """
    seconds = wait_budget.serving_limit()
    if seconds is None or settings.get("DISABLE_SERVER_SIDE_CURSORS"):
        return params
    limits = {
        "statement_timeout": max(1, int(seconds * _STATEMENT * 1000)),
        "idle_in_transaction_session_timeout": max(1, int(seconds * _IDLE * 1000)),
    }
    ours = " ".join(f"-c {name}={milliseconds}" for name, milliseconds in limits.items())
    # The later one of two holds, so that DATABASE_URL can name other limits.
    return {**params, "options": f"{ours} {params.get('options', '')}".rstrip()}


#: After a failover, of the former primary; psycopg files it under InternalError, too.
_READ_ONLY: Final = psycopg.errors.ReadOnlySqlTransaction


class ErrorWrapper(DatabaseErrorWrapper):
    """Django's, which also takes these for an OperationalError.

    The server has ended the session, or it takes no writes. Both pass, and neither is a defect.
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

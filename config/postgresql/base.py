"""PostgreSQL backend with connections that limit how long they wait (docs/adr/0013)."""

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Final

import psycopg
import structlog
from django.db import DatabaseError
from django.db.backends.postgresql import base
from django.utils.functional import cached_property

from config.postgresql import read_only
from config.postgresql.connection import PatientConnection, Prepared
from config.postgresql.limits import ErrorWrapper, session_options
from config.postgresql.validation import DatabaseValidation
from core.redaction import first_line

#: A pooler has switched to another session, or a column of the statement has changed its type.
_NOT_PREPARED: Final = (
    psycopg.errors.DuplicatePreparedStatement,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.InvalidSqlStatementName,
)
_log = structlog.get_logger(__name__)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper, with connections that time out and prepared statements."""

    # psycopg itself, except for `connect`.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": PatientConnection.connect})  # type: ignore[assignment]
    validation_class = DatabaseValidation
    _prepared: Prepared | None = None
    _opened_at = 0.0

    @cached_property
    def wrap_database_errors(self) -> ErrorWrapper:
        """Also treats a session that the server has ended, or that is read-only, as unavailable."""
        return ErrorWrapper(self)

    def get_connection_params(self) -> dict[str, Any]:
        """Adds timeouts on the server, in processes that serve requests."""
        return session_options(super().get_connection_params(), self.settings_dict)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._opened_at = time.monotonic()
        return super().get_new_connection(conn_params)

    def close_if_unusable_or_obsolete(self) -> None:
        """Also closes a connection that may lead to a read-only server."""
        if not self.in_atomic_block and read_only.is_suspect(self._opened_at):
            self.close()
        super().close_if_unusable_or_obsolete()

    def fetch_prepared(self, sql: str, values: Sequence[bytes]) -> tuple[Any, ...] | None:
        """The first row of a query, as a prepared statement if the connection supports them.

        Planning takes longer than everything else that the server does for a query by a unique
        index (docs/adr/0015). Query wrappers (`execute_wrapper`) see it like any other query.
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
        """Runs the statement with Django's checks, logging and exceptions."""
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
        """Disables prepared statements for this connection if the error is about them.

        Otherwise raises it.
        """
        if not isinstance(error.__cause__, _NOT_PREPARED):
            raise error
        self.connection.prepare_threshold = None
        _log.warning("statement_not_prepared", reason=first_line(error))

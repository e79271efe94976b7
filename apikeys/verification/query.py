"""The single query of a verification."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Subquery

from apikeys.models import ApiKeySecret
from apikeys.verification.types import VerifiedKey
from organizations.models import Clock

Converter = Callable[[Any, Any, Any], Any]
Fetch = Callable[[str, list[bytes]], tuple[Any, ...] | None]
#: The digest, then the fields of `VerifiedKey` in order. The query adds the clock's number.
_COLUMNS: Final = (
    "digest",
    "id",
    "prefix",
    "pepper",
    "ends_at",
    "key_id",
    "key__name",
    "key__environment",
    "key__scopes",
    "key__expires_at",
    "key__disabled_at",
    "key__revoked_at",
    "last_used_at",
    "key__created_by_id",
    "key__organization_id",
    "key__organization__api_access_enabled",
    "key__organization__rate_limit_tier",
    "key__rate_limit_tier",
    "key__service_account_id",
    "key__service_account__disabled_at",
)
#: Marks a result that must not be cached: the clock never has this number.
NO_NUMBER: Final = -1


def find_secret(digests: list[bytes]) -> tuple[VerifiedKey | None, int]:
    """The row with one of the digests and the clock's number, in one query."""
    database = connections[DEFAULT_DB_ALIAS]  # read once: each access to Django's proxy takes 2 µs
    sql, converters = _compiled(database.vendor, len(digests))
    row = _fetch(database, sql, digests)
    # Checked again: a result that got mixed up on the way, such as in a pooler, must not be used.
    if row is None or row[0] not in digests:
        return None, NO_NUMBER
    values = list(row)
    for position, convert, expression in converters:
        values[position] = convert(values[position], expression, database)
    number = NO_NUMBER if values[-1] is None else values[-1]
    return VerifiedKey._make(values[1:-1]), number


def read_again(secret_id: UUID) -> VerifiedKey | None:
    """A verified secret's current row, as the transaction sees it. None if it was deleted."""
    row = ApiKeySecret.objects.filter(pk=secret_id).values_list(*_COLUMNS).first()
    return VerifiedKey._make(row[1:]) if row else None


def _fetch(database: BaseDatabaseWrapper, sql: str, digests: list[bytes]) -> tuple[Any, ...] | None:
    """The row, with a prepared statement on PostgreSQL (config.postgresql)."""
    fetch: Fetch | None = getattr(database, "fetch_prepared", None)
    if fetch:
        return fetch(sql, digests)
    with database.cursor() as cursor:
        cursor.execute(sql, digests)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


@cache
def _compiled(vendor: str, digests: int) -> tuple[str, list[tuple[int, Converter, Any]]]:
    """The SQL and the converters of its columns. Cached because compiling is expensive."""
    unlike = [number.to_bytes(32, "big") for number in range(digests)]
    number = Subquery(Clock.objects.values("number")[:1])
    rows = ApiKeySecret.objects.filter(digest__in=unlike).values_list(*_COLUMNS, number)
    compiler = rows.query.get_compiler(connection=connection)
    sql, _ = compiler.as_sql()
    columns = [column for column, *_ in compiler.select]
    converters = compiler.get_converters(columns)
    steps = [(n, step, column) for n, (found, column) in converters.items() for step in found]
    return sql, steps

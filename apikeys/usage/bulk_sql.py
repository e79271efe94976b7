"""Writes the usage of many requests with one statement per table on PostgreSQL.

The ORM would need one statement per row, or could not add to the counts of other processes. SQLite
has no arrays. There the same statement runs for each row, without a network round trip.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

_SECRETS: Final = (
    "UPDATE apikeys_apikeysecret AS row SET last_used_at = new.at FROM {source}"
    " WHERE row.id = new.id AND (row.last_used_at IS NULL OR row.last_used_at <= new.due)"
)
_KEYS: Final = (
    "UPDATE apikeys_apikey AS row SET last_used_at = new.at, last_used_ip = new.ip,"
    " last_used_user_agent = new.agent FROM {source}"
    " WHERE row.id = new.id AND (row.last_used_at IS NULL OR row.last_used_at <= new.due)"
)
_REQUESTS: Final = (
    "INSERT INTO apikeys_keyusage (key_id, hour, result, requests)"
    " SELECT new.key_id, new.hour, new.result, new.requests FROM {source} WHERE true"
    " ON CONFLICT (key_id, hour, result)"
    " DO UPDATE SET requests = apikeys_keyusage.requests + excluded.requests"
)
_SCOPES: Final = (
    "INSERT INTO apikeys_scopeuse (key_id, scope, last_used_on)"
    " SELECT new.key_id, new.scope, new.last_used_on FROM {source} WHERE true"
    " ON CONFLICT (key_id, scope) DO UPDATE SET last_used_on = excluded.last_used_on"
    " WHERE apikeys_scopeuse.last_used_on < excluded.last_used_on"
)


def note_secrets(uses: Sequence[tuple[UUID, datetime]], interval: timedelta) -> None:
    """Records last uses of secrets, unless one within `interval` before is already recorded."""
    rows = [(key, at, at - interval) for key, at in uses]
    _run(_SECRETS, {"id": "uuid", "at": "timestamptz", "due": "timestamptz"}, rows)


def note_keys(uses: Sequence[tuple[UUID, datetime, str | None, str]], interval: timedelta) -> None:
    """Records last uses of keys, the latest of several uses of a key."""
    latest = {use[0]: use for use in sorted(uses, key=lambda use: use[1])}
    rows = [(key, at, at - interval, *by) for key, at, *by in latest.values()]
    types = {"id": "uuid", "at": "timestamptz", "due": "timestamptz", "ip": "inet", "agent": "text"}
    _run(_KEYS, types, rows)


def add_requests(rows: Sequence[tuple[UUID, datetime, str, int]]) -> None:
    """Adds to the request counts per key, hour and result. Rows must be sorted by key."""
    types = {"key_id": "uuid", "hour": "timestamptz", "result": "text", "requests": "bigint"}
    _run(_REQUESTS, types, rows)


def note_scopes(rows: Sequence[tuple[UUID, str, date]]) -> None:
    """Updates the days on which scopes were last used. Rows must be sorted by key."""
    _run(_SCOPES, {"key_id": "uuid", "scope": "text", "last_used_on": "date"}, rows)


def _run(statement: str, types: dict[str, str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Runs a statement. Rows must be sorted by key, so that processes don't wait for each other."""
    if not rows:
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            arrays = ", ".join(f"%s::{kind}[]" for kind in types.values())
            source = f"unnest({arrays}) AS new({', '.join(types)})"
            cursor.execute(
                statement.format(source=source), [list(c) for c in zip(*rows, strict=True)]
            )
        else:
            columns = ", ".join(f"%s AS {name}" for name in types)
            source = f"(SELECT {columns}) AS new"
            cursor.executemany(statement.format(source=source), [_plain(row) for row in rows])


def _plain(row: tuple[Any, ...]) -> list[Any]:
    """The row as SQLite stores it."""
    return [value.hex if isinstance(value, UUID) else _moment(value) for value in row]


def _moment(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, date) else value

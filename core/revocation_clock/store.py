"""SQL of the revocation clock. Each function runs one or two statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from core.revocation_clock.trust import MOST_CHANGES
from core.sqlite_writers import write_lock

_NO_CLOCK: Final = "The revocation clock has no row; run “manage.py migrate”."
_POLL: Final = """
    SELECT clock.number, change.number, change.kind, change.target_id
    FROM organizations_clock clock
    LEFT JOIN organizations_change change ON change.number > %s
    WHERE clock.id = 1 LIMIT %s
"""
_PRUNE: Final = {
    "postgresql": """
        DELETE FROM organizations_change WHERE number <= (
            SELECT MAX(number) FROM organizations_change WHERE at < now() - interval '1 hour')
    """,
    "sqlite": """
        DELETE FROM organizations_change WHERE number <= (
            SELECT MAX(number) FROM organizations_change WHERE at < datetime('now', '-1 hour'))
    """,
}
#: Revocations wait for this statement, so it doesn't wait for the disk. If PostgreSQL crashes, it
#: may be lost, which is safe: less is acknowledged then. It must not change the beat: losing a beat
#: would let other followers remove a row that is still trusted.
_ACKNOWLEDGE: Final = {
    "postgresql": """
        UPDATE organizations_follower SET number = %s
        FROM set_config('synchronous_commit', 'off', true) WHERE id = %s
    """,
    "sqlite": "UPDATE organizations_follower SET number = %s WHERE id = %s",
}


class NoClock(RuntimeError):
    """The clock's row is missing, or was missing during a statement."""


@dataclass(frozen=True, slots=True)
class Poll:
    """The clock's number, and the changes after the requested number.

    Holds at most `MOST_CHANGES` changes.
    """

    number: int
    changes: Sequence[tuple[str, UUID]]


def poll(after: int) -> Poll:
    """Reads the number and the changes in one statement, so that they are consistent."""
    rows = _rows(_POLL, after, MOST_CHANGES)
    if not rows:
        raise NoClock(_NO_CLOCK)
    changes = [(kind, _uuid(target)) for _, number, kind, target in rows if number is not None]
    return Poll(rows[0][0], changes)


def register(id: UUID, lease: float, process: str) -> int:
    """Adds a follower. Returns the number to follow from, read after the row was committed.

    Everything that commits after that number sees the row.
    """
    statement = (
        "INSERT INTO organizations_follower (id, number, beat, lease, process, started_at)"
        " SELECT %s, number, 0, %s, %s, CURRENT_TIMESTAMP FROM organizations_clock WHERE id = 1"
    )
    with write_lock():
        _run(statement, _written(id), lease, process)
    return current()


def beat(id: UUID, number: int) -> bool:
    """Sends a heartbeat with the applied number. False if the row is gone."""
    statement = "UPDATE organizations_follower SET number = %s, beat = beat + 1 WHERE id = %s"
    with write_lock():
        return _run(statement, number, _written(id)) == 1


def acknowledge(id: UUID, number: int) -> bool:
    """Stores the applied number without a heartbeat. False if the row is gone."""
    with write_lock():
        return _run(_ACKNOWLEDGE[connection.vendor], number, _written(id)) == 1


def followers() -> list[tuple[UUID, int, float]]:
    """(ID, beat, lease) of every follower."""
    rows = _rows("SELECT id, beat, lease FROM organizations_follower")
    return [(_uuid(row[0]), *row[1:]) for row in rows]


def leave(id: UUID) -> None:
    """Deletes the row of a follower that no longer trusts its cache."""
    with write_lock():
        _run("DELETE FROM organizations_follower WHERE id = %s", _written(id))


def remove(id: UUID, beat: int) -> None:
    """Deletes the row of a dead follower, unless its beat has changed."""
    statement = "DELETE FROM organizations_follower WHERE id = %s AND beat = %s"
    with write_lock():
        _run(statement, _written(id), beat)


def prune() -> None:
    """Deletes changes older than an hour. A follower that needs them starts over."""
    with write_lock():
        _run(_PRUNE[connection.vendor])


def restart(database: BaseDatabaseWrapper) -> None:
    """Makes every follower start over by adding a number without a change.

    For use after `migrate`: SQLite has no triggers during a migration, and a flush deletes the
    clock's row.
    """
    if "organizations_clock" not in database.introspection.table_names():
        return
    with database.cursor() as cursor:
        cursor.execute("UPDATE organizations_clock SET number = number + 1")
        if not cursor.rowcount:
            cursor.execute("INSERT INTO organizations_clock (id, number) VALUES (1, 0)")


def current() -> int:
    rows = _rows("SELECT number FROM organizations_clock WHERE id = 1")
    if not rows:
        raise NoClock(_NO_CLOCK)
    number: int = rows[0][0]
    return number


def longest_lease_behind(number: int) -> float:
    """The longest lease of followers that haven't applied `number`. 0 if there are none."""
    statement = "SELECT COALESCE(MAX(lease), 0) FROM organizations_follower WHERE number < %s"
    return float(_rows(statement, number)[0][0])


def _rows(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _run(statement: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        changed: int = cursor.rowcount
        return changed


def _written(id: UUID) -> Any:
    """A UUID as Django stores it. SQLite has no UUID type."""
    return id if connection.features.has_native_uuid_field else id.hex


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)

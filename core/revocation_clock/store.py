"""The clock's rows: each function is one or two statements on the calling thread's connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from core.revocation_clock.trust import MOST_CHANGES
from core.sqlite_writers import turn

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
#: Withdrawals wait for this, so it does not wait for the disk: others see it just the same.
#: A crash of PostgreSQL may take it back, and less is acknowledged then. It moves no beat, since a
#: beat that is taken back would let others remove a row that is trusted.
_ACKNOWLEDGE: Final = {
    "postgresql": """
        UPDATE organizations_follower SET number = %s
        FROM set_config('synchronous_commit', 'off', true) WHERE id = %s
    """,
    "sqlite": "UPDATE organizations_follower SET number = %s WHERE id = %s",
}


class NoClock(RuntimeError):
    """The row of the clock is missing, or was while a statement ran."""


@dataclass(frozen=True, slots=True)
class Poll:
    """Where the clock stands, and the changes after the number that was asked about.

    Of more than `MOST_CHANGES` some are left out.
    """

    number: int
    changes: Sequence[tuple[str, UUID]]


def poll(after: int) -> Poll:
    """One statement: the number and the changes are of the same moment."""
    rows = _rows(_POLL, after, MOST_CHANGES)
    if not rows:
        raise NoClock(_NO_CLOCK)
    changes = [(kind, _uuid(target)) for _, number, kind, target in rows if number is not None]
    return Poll(rows[0][0], changes)


def register(id: UUID, lease: float, process: str) -> int:
    """Adds a follower; the number from which it follows, read when its row was committed.

    What commits after that number finds the row.
    """
    statement = (
        "INSERT INTO organizations_follower (id, number, beat, lease, process, started_at)"
        " SELECT %s, number, 0, %s, %s, CURRENT_TIMESTAMP FROM organizations_clock WHERE id = 1"
    )
    with turn():
        _run(statement, _written(id), lease, process)
    return current()


def beat(id: UUID, number: int) -> bool:
    """A sign of life, with the number that is applied; False if the row is gone."""
    statement = "UPDATE organizations_follower SET number = %s, beat = beat + 1 WHERE id = %s"
    with turn():
        return _run(statement, number, _written(id)) == 1


def acknowledge(id: UUID, number: int) -> bool:
    """Says what is applied, and gives no sign of life; False if the row is gone."""
    with turn():
        return _run(_ACKNOWLEDGE[connection.vendor], number, _written(id)) == 1


def followers() -> list[tuple[UUID, int, float]]:
    """Id, beat and lease of every follower."""
    rows = _rows("SELECT id, beat, lease FROM organizations_follower")
    return [(_uuid(row[0]), *row[1:]) for row in rows]


def leave(id: UUID) -> None:
    """Deletes the row of a follower that trusts nothing any more."""
    with turn():
        _run("DELETE FROM organizations_follower WHERE id = %s", _written(id))


def remove(id: UUID, beat: int) -> None:
    """Deletes the row of a dead follower, unless its beat has moved from `beat`."""
    statement = "DELETE FROM organizations_follower WHERE id = %s AND beat = %s"
    with turn():
        _run(statement, _written(id), beat)


def prune() -> None:
    """Deletes the changes that are older than an hour; a follower that needs them starts over."""
    with turn():
        _run(_PRUNE[connection.vendor])


def restart(database: BaseDatabaseWrapper) -> None:
    """Makes every follower start over, as after a `migrate`: the number stands for no change.

    SQLite is without triggers while a migration runs, and a flush takes the row away.
    """
    if "organizations_clock" not in database.introspection.table_names():
        return
    with database.cursor() as cursor:
        cursor.execute("UPDATE organizations_clock SET number = number + 1")
        if not cursor.rowcount:
            cursor.execute("INSERT INTO organizations_clock (id, number) VALUES (1, 0)")


def current() -> int:
    """Where the clock stands."""
    rows = _rows("SELECT number FROM organizations_clock WHERE id = 1")
    if not rows:
        raise NoClock(_NO_CLOCK)
    number: int = rows[0][0]
    return number


def longest_lease_behind(number: int) -> float:
    """The longest lease of the followers that have not applied `number`; 0 if there are none."""
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
    """As Django keeps it: SQLite has no type for it."""
    return id if connection.features.has_native_uuid_field else id.hex


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)

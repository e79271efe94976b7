"""Database triggers that count changes for the revocation clock.

The number is the last thing that a transaction takes. On PostgreSQL the triggers are deferred to
the commit, no matter what opened the transaction. The client does nothing between taking the number
and the end of the commit, so a client that hangs blocks no other, and operations can't deadlock on
the number. SQLite has one writer and counts immediately.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from core.triggers import install

#: NOTIFY channel of the followers.
CHANNEL: Final = "latchkey_clock"
#: How long a commit waits for earlier ones, which take milliseconds.
_LOCK_TIMEOUT: Final = "2s"
_FUNCTION: Final = """
    CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
    SET lock_timeout = '{timeout}' AS $$
    DECLARE
        ticked bigint;
    BEGIN
        UPDATE organizations_clock SET number = number + 1 WHERE id = 1
            RETURNING number INTO STRICT ticked;
        INSERT INTO organizations_change (number, kind, target_id)
            VALUES (ticked, '{kind}', OLD.{target});
        PERFORM pg_notify('{channel}', '');
        RETURN NULL;
    END $$
"""
_COUNT_IMMEDIATELY: Final = """
    CREATE TRIGGER {name} AFTER {what}
    BEGIN
        SELECT RAISE(ABORT, 'organizations_clock has no row')
            WHERE NOT EXISTS (SELECT 1 FROM organizations_clock);
        UPDATE organizations_clock SET number = number + 1 WHERE id = 1;
        INSERT INTO organizations_change (number, kind, target_id, at)
            SELECT number, '{kind}', OLD.{target}, CURRENT_TIMESTAMP FROM organizations_clock;
    END
"""


@dataclass(frozen=True, slots=True)
class ChangeTrigger:
    """Counts a change of `kind` for the row's `target` if one of `columns` changes.

    Deleting a row counts too.
    """

    name: str
    table: str
    kind: str
    target: str
    columns: Sequence[str]

    def create(self, vendor: str) -> list[str]:
        if vendor == "postgresql":
            return [*self.drop(vendor), self._function(), *self._deferred()]
        return [*self.drop(vendor), *self._immediate()]

    def drop(self, vendor: str) -> list[str]:
        names = [f"{self.name}_{event}" for event in ("update", "delete")]
        on = f" ON {self.table}" if vendor == "postgresql" else ""
        return [f"DROP TRIGGER IF EXISTS {name}{on}" for name in names]

    def _changed(self, distinct: str) -> str:
        pairs = (f"OLD.{column} {distinct} NEW.{column}" for column in self.columns)
        return f"({' OR '.join(pairs)})"

    def _function(self) -> str:
        return _FUNCTION.format(
            name=self.name,
            timeout=_LOCK_TIMEOUT,
            kind=self.kind,
            target=self.target,
            channel=CHANNEL,
        )

    def _deferred(self) -> list[str]:
        columns = ", ".join(self.columns)
        events = {
            "update": f"AFTER UPDATE OF {columns} ON {self.table}",
            "delete": f"AFTER DELETE ON {self.table}",
        }
        conditions = {"update": f"WHEN {self._changed('IS DISTINCT FROM')}", "delete": ""}
        return [
            f"CREATE CONSTRAINT TRIGGER {self.name}_{event} {timing}"
            " DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW {conditions[event]} EXECUTE FUNCTION {self.name}()"
            for event, timing in events.items()
        ]

    def _immediate(self) -> list[str]:
        columns = ", ".join(self.columns)
        events = {
            "update": f"UPDATE OF {columns} ON {self.table} WHEN {self._changed('IS NOT')}",
            "delete": f"DELETE ON {self.table}",
        }
        return [
            _COUNT_IMMEDIATELY.format(
                name=f"{self.name}_{event}", what=what, kind=self.kind, target=self.target
            )
            for event, what in events.items()
        ]


def install_changes(connection: BaseDatabaseWrapper, triggers: Iterable[ChangeTrigger]) -> None:
    """Installs the triggers, as far as the schema already has their tables and columns."""
    if "organizations_clock" not in connection.introspection.table_names():
        return
    for trigger in triggers:
        with connection.cursor() as cursor:
            found = connection.introspection.get_table_description(cursor, trigger.table)
        existing = {column.name for column in found}
        columns = [column for column in trigger.columns if column in existing]
        install(connection, [replace(trigger, columns=columns)])

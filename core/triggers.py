"""Declares, installs and removes database triggers, for rules that a constraint can't express."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

_MONTH_AGO: Final = {
    "postgresql": "now() - interval '30 days'",
    "sqlite": "datetime('now', '-30 days')",
}


class Installed(Protocol):
    """A trigger that is installed after each `migrate`."""

    @property
    def name(self) -> str:
        """The message of its error."""

    @property
    def table(self) -> str: ...

    def create(self, vendor: str) -> list[str]:
        """SQL statements that create or replace it."""

    def drop(self, vendor: str) -> list[str]:
        """SQL statements that drop it if it exists."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Rejects the `events` on `table` if `condition`, SQL over OLD and NEW, is true.

    ``{month_ago}`` in the condition is the time 30 days ago. `lock` is a query that PostgreSQL runs
    first, so that concurrent transactions see each other. SQLite has one writer and needs none.
    """

    name: str
    table: str
    events: tuple[str, ...]
    condition: str
    lock: str = ""
    timing: str = "BEFORE"

    def create(self, vendor: str) -> list[str]:
        if vendor == "postgresql":
            return [self._function(), self._postgresql()]
        created = [self._sqlite(event) for event in self.events]
        return [*self.drop(vendor), *created]

    def drop(self, vendor: str) -> list[str]:
        if vendor == "postgresql":
            return [f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}"]
        return [f"DROP TRIGGER IF EXISTS {self.name}_{event.lower()}" for event in self.events]

    def _condition(self, vendor: str) -> str:
        return self.condition.replace("{month_ago}", _MONTH_AGO[vendor])

    def _function(self) -> str:
        lock = f"PERFORM {self.lock};" if self.lock else ""
        return f"""
            CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                {lock}
                IF {self._condition("postgresql")} THEN
                    RAISE EXCEPTION '{self.name}' USING ERRCODE = 'check_violation';
                END IF;
                RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
            END $$
        """

    def _postgresql(self) -> str:
        return f"""
            CREATE OR REPLACE TRIGGER {self.name}
            {self.timing} {" OR ".join(self.events)} ON {self.table}
            FOR EACH ROW EXECUTE FUNCTION {self.name}()
        """

    def _sqlite(self, event: str) -> str:
        return f"""
            CREATE TRIGGER {self.name}_{event.lower()}
            {self.timing} {event} ON {self.table} FOR EACH ROW
            WHEN {self._condition("sqlite")}
            BEGIN SELECT RAISE(ABORT, '{self.name}'); END
        """


@dataclass(frozen=True, slots=True)
class TruncateTrigger:
    """Rejects TRUNCATE, which fires no row triggers. SQLite has no such statement."""

    name: str
    table: str

    def create(self, vendor: str) -> list[str]:
        return [self._function(), self._trigger()] if vendor == "postgresql" else []

    def drop(self, vendor: str) -> list[str]:
        drop = f"DROP TRIGGER IF EXISTS {self.name} ON {self.table}"
        return [drop] if vendor == "postgresql" else []

    def _function(self) -> str:
        return f"""
            CREATE OR REPLACE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '{self.name}' USING ERRCODE = 'check_violation'; END $$
        """

    def _trigger(self) -> str:
        return f"""
            CREATE OR REPLACE TRIGGER {self.name} BEFORE TRUNCATE ON {self.table}
            FOR EACH STATEMENT EXECUTE FUNCTION {self.name}()
        """


def install(connection: BaseDatabaseWrapper, triggers: Iterable[Installed]) -> None:
    """Creates or replaces `triggers`, each in its own transaction.

    PostgreSQL locks the table meanwhile. Locking two tables could deadlock with an application that
    uses them in the other order.
    """
    for trigger in triggers:
        _run(connection, trigger.create(connection.vendor))


def remove(connection: BaseDatabaseWrapper, triggers: Iterable[Installed]) -> None:
    """Drops `triggers` if they exist. The next `migrate` or `flush` creates them again."""
    for trigger in triggers:
        _run(connection, trigger.drop(connection.vendor))


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


def remove_before_rebuilding(
    connection: BaseDatabaseWrapper, triggers: Iterable[Installed]
) -> None:
    """SQLite can't rebuild a table while a trigger of another table reads it."""
    if connection.vendor == "sqlite":
        remove(connection, triggers)

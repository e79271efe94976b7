"""Database triggers for what a constraint cannot say: what may never change, who must remain.

They are installed after every `migrate` (idempotently), because SQLite drops a table's triggers
whenever a migration rebuilds the table. It also refuses to rebuild a table that a trigger of
another one reads; so there they are taken away before a `migrate` that has something to do.
A violation surfaces as `django.db.IntegrityError`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from organizations.clock import store as clock
from organizations.clock.triggers import ChangeTrigger
from organizations.trail_triggers import FORBIDDEN_CHANGE, FORBIDDEN_ERASURE, NextNumberTrigger

_MONTH_AGO: Final = {
    "postgresql": "now() - interval '30 days'",
    "sqlite": "datetime('now', '-30 days')",
}


class Installed(Protocol):
    """A trigger that is installed after each `migrate`."""

    @property
    def name(self) -> str:
        """What its refusal says."""

    @property
    def table(self) -> str:
        """The table that it guards."""

    def create(self, vendor: str) -> list[str]:
        """The statements that install it, in place of what was there."""

    def drop(self, vendor: str) -> list[str]:
        """The statements that remove it where it exists."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Refuses the `events` on `table` when `condition`, SQL over OLD and NEW, is true.

    ``{month_ago}`` in it is the moment 30 days ago.
    `lock` is a query that PostgreSQL runs first, so that racing transactions see each other;
    SQLite has one writer and needs none.
    """

    name: str
    table: str
    events: tuple[str, ...]
    condition: str
    lock: str = ""
    timing: str = "BEFORE"

    def create(self, vendor: str) -> list[str]:
        """The statements that install it, in place of what was there."""
        if vendor == "postgresql":
            return [self._function(), self._postgresql()]
        created = [self._sqlite(event) for event in self.events]
        return [*self.drop(vendor), *created]

    def drop(self, vendor: str) -> list[str]:
        """The statements that remove it where it exists."""
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
    """Refuses TRUNCATE of `table`, which fires no trigger of rows; SQLite has no such statement."""

    name: str
    table: str

    def create(self, vendor: str) -> list[str]:
        """The statements that install it, in place of what was there."""
        return [self._function(), self._trigger()] if vendor == "postgresql" else []

    def drop(self, vendor: str) -> list[str]:
        """The statements that remove it where it exists."""
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
    """Creates or replaces `triggers`, each in a transaction of its own.

    PostgreSQL locks the table meanwhile. With two of them locked, an application that is at work
    and needs both, in the other order, would end in a deadlock.
    """
    for trigger in triggers:
        _run(connection, trigger.create(connection.vendor))


def remove(connection: BaseDatabaseWrapper, triggers: Iterable[Installed]) -> None:
    """Drops `triggers` where they exist; the next `migrate` or `flush` brings them back."""
    for trigger in triggers:
        _run(connection, trigger.drop(connection.vendor))


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


TRIGGERS: Final[tuple[Installed, ...]] = (
    Trigger(
        name="an_organization_keeps_an_admin",
        table="organizations_membership",
        events=("UPDATE", "DELETE"),
        timing="AFTER",
        condition="""OLD.role = 'admin' AND NOT EXISTS (
            SELECT 1 FROM organizations_membership
            WHERE organization_id = OLD.organization_id AND role = 'admin')
            AND EXISTS (SELECT 1 FROM organizations_organization
            WHERE id = OLD.organization_id)""",
        lock="1 FROM organizations_organization WHERE id = OLD.organization_id FOR UPDATE",
    ),
    Trigger(
        name="audit_events_stay",
        table="organizations_auditevent",
        events=("DELETE",),
        condition="TRUE",
    ),
    Trigger(
        name="audit_events_stay_as_they_are",
        table="organizations_auditevent",
        events=("UPDATE",),
        condition=FORBIDDEN_CHANGE,
    ),
    NextNumberTrigger(
        name="audit_events_take_the_next_number",
        table="organizations_auditevent",
        column="number",
    ),
    Trigger(
        name="erasures_are_of_forgotten_people",
        table="organizations_erasure",
        events=("INSERT",),
        condition=FORBIDDEN_ERASURE,
    ),
    Trigger(
        name="erasures_stay",
        table="organizations_erasure",
        events=("UPDATE", "DELETE"),
        condition="TRUE",
    ),
    TruncateTrigger(name="erasures_are_not_truncated", table="organizations_erasure"),
    TruncateTrigger(name="audit_events_are_not_truncated", table="organizations_auditevent"),
    Trigger(
        name="a_service_account_stays_in_its_organization",
        table="organizations_serviceaccount",
        events=("UPDATE",),
        condition="NEW.organization_id <> OLD.organization_id",
    ),
)
#: What verification reads of these rows (docs/adr/0018).
CHANGES: Final = (
    ChangeTrigger(
        name="an_organization_changes",
        table="organizations_organization",
        kind="organization",
        target="id",
        columns=("api_access_enabled", "rate_limit_tier"),
    ),
    ChangeTrigger(
        name="a_service_account_changes",
        table="organizations_serviceaccount",
        kind="service_account",
        target="id",
        columns=("disabled_at",),
    ),
)


def remove_before_rebuilding(
    connection: BaseDatabaseWrapper, triggers: Iterable[Installed]
) -> None:
    """SQLite can rebuild no table while a trigger of another one reads it."""
    if connection.vendor == "sqlite":
        remove(connection, triggers)


def install_changes(connection: BaseDatabaseWrapper, triggers: Iterable[ChangeTrigger]) -> None:
    """Installs what counts changes, as far as an earlier schema has the tables and columns."""
    if "organizations_clock" not in connection.introspection.table_names():
        return
    for trigger in triggers:
        with connection.cursor() as cursor:
            found = connection.introspection.get_table_description(cursor, trigger.table)
        there = {column.name for column in found}
        columns = [column for column in trigger.columns if column in there]
        install(connection, [replace(trigger, columns=columns)])


def remove_before_migrate(using: str, plan: Sequence[Any], **_: Any) -> None:
    """Receiver of `pre_migrate`; where nothing is to be done, nothing is unguarded meanwhile."""
    if plan:
        remove_before_rebuilding(connections[using], (*TRIGGERS, *CHANGES))


def install_after_migrate(using: str, **_: Any) -> None:
    """Receiver of `post_migrate`."""
    connection = connections[using]
    there = set(connection.introspection.table_names())  # an earlier schema has fewer
    install(connection, [trigger for trigger in TRIGGERS if trigger.table in there])
    install_changes(connection, CHANGES)
    clock.restart(connection)

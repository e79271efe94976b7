"""Database triggers for what a constraint cannot say: what may never change, who must remain.

They are installed after every `migrate` (idempotently), because SQLite drops a table's triggers
whenever a migration rebuilds the table. It also refuses to rebuild a table that a trigger of
another one reads; so there they are taken away before a `migrate` that has something to do.
A violation surfaces as `django.db.IntegrityError`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True)
class Trigger:
    """Refuses the `events` on `table` when `condition`, SQL over OLD and NEW, is true.

    `lock` is a query that PostgreSQL runs first, so that racing transactions see each other;
    SQLite has one writer and needs none.
    """

    name: str
    table: str
    events: tuple[str, ...]
    condition: str
    lock: str = ""
    timing: str = "BEFORE"


def install(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Creates or replaces `triggers`, each in a transaction of its own.

    PostgreSQL locks the table meanwhile. With two of them locked, an application that is at work
    and needs both, in the other order, would end in a deadlock.
    """
    for trigger in triggers:
        _run(connection, _create(connection.vendor, trigger))


def remove(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """Drops `triggers` where they exist; the next `migrate` or `flush` brings them back."""
    for trigger in triggers:
        _run(connection, _drop(connection.vendor, trigger))


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


def _create(vendor: str, trigger: Trigger) -> list[str]:
    if vendor == "postgresql":
        return [_function(trigger), _postgresql_trigger(trigger)]
    created = [_sqlite_trigger(trigger, event) for event in trigger.events]
    return [*_drop(vendor, trigger), *created]


def _drop(vendor: str, trigger: Trigger) -> list[str]:
    if vendor == "postgresql":
        return [f"DROP TRIGGER IF EXISTS {trigger.name} ON {trigger.table}"]
    return [f"DROP TRIGGER IF EXISTS {trigger.name}_{event.lower()}" for event in trigger.events]


def _function(trigger: Trigger) -> str:
    lock = f"PERFORM {trigger.lock};" if trigger.lock else ""
    return f"""
        CREATE OR REPLACE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            {lock}
            IF {trigger.condition} THEN
                RAISE EXCEPTION '{trigger.name}' USING ERRCODE = 'check_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
    """


def _postgresql_trigger(trigger: Trigger) -> str:
    return f"""
        CREATE OR REPLACE TRIGGER {trigger.name}
        {trigger.timing} {" OR ".join(trigger.events)} ON {trigger.table}
        FOR EACH ROW EXECUTE FUNCTION {trigger.name}()
    """


def _sqlite_trigger(trigger: Trigger, event: str) -> str:
    return f"""
        CREATE TRIGGER {trigger.name}_{event.lower()}
        {trigger.timing} {event} ON {trigger.table} FOR EACH ROW WHEN {trigger.condition}
        BEGIN SELECT RAISE(ABORT, '{trigger.name}'); END
    """


TRIGGERS: Final = (
    Trigger(
        name="an_organization_keeps_an_admin",
        table="organizations_membership",
        events=("UPDATE", "DELETE"),
        timing="AFTER",
        condition="""OLD.role = 'admin' AND NOT EXISTS (
            SELECT 1 FROM organizations_membership
            WHERE organization_id = OLD.organization_id AND role = 'admin')""",
        lock="1 FROM organizations_organization WHERE id = OLD.organization_id FOR UPDATE",
    ),
    Trigger(
        name="audit_events_stay",
        table="organizations_auditevent",
        events=("UPDATE", "DELETE"),
        condition="TRUE",
    ),
    Trigger(
        name="a_service_account_stays_in_its_organization",
        table="organizations_serviceaccount",
        events=("UPDATE",),
        condition="NEW.organization_id <> OLD.organization_id",
    ),
)


def remove_before_rebuilding(connection: BaseDatabaseWrapper, triggers: Iterable[Trigger]) -> None:
    """SQLite can rebuild no table while a trigger of another one reads it."""
    if connection.vendor == "sqlite":
        remove(connection, triggers)


def remove_before_migrate(using: str, plan: Sequence[Any], **_: Any) -> None:
    """Receiver of `pre_migrate`; where nothing is to be done, nothing is unguarded meanwhile."""
    if plan:
        remove_before_rebuilding(connections[using], TRIGGERS)


def install_after_migrate(using: str, **_: Any) -> None:
    """Receiver of `post_migrate`."""
    install(connections[using], TRIGGERS)

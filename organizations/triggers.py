"""Database triggers for rules that constraints can't express.

They are installed after every `migrate` (idempotently), because SQLite drops a table's triggers
when a migration rebuilds the table. SQLite also can't rebuild a table that another table's trigger
reads, so they are removed before a `migrate` that has something to do. Violations raise
`django.db.IntegrityError`.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connections

from core.revocation_clock import store as clock
from core.revocation_clock.triggers import ChangeTrigger, install_changes
from core.triggers import Installed, Trigger, TruncateTrigger, install, remove_before_rebuilding
from organizations.audit_triggers import FORBIDDEN_CHANGE, FORBIDDEN_ERASURE, NextNumberTrigger

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
#: The columns that verification reads (docs/adr/0018).
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


def remove_before_migrate(using: str, plan: Sequence[Any], **_: Any) -> None:
    """Receiver of `pre_migrate`. Without a plan the triggers stay."""
    if plan:
        remove_before_rebuilding(connections[using], (*TRIGGERS, *CHANGES))


def install_after_migrate(using: str, **_: Any) -> None:
    """Receiver of `post_migrate`."""
    connection = connections[using]
    existing = set(connection.introspection.table_names())  # an earlier schema has fewer
    install(connection, [trigger for trigger in TRIGGERS if trigger.table in existing])
    install_changes(connection, CHANGES)
    clock.restart(connection)

"""Recording audit events, and protecting them from changes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from core.transactions import WriteOutsideService, allowed, operation
from organizations import audit
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.services import rename_organization
from tests.factories import SYSTEM, MembershipFactory
from tests.support.domain import ORIGIN, person


def test_an_event_is_recorded_inside_an_operation_only(acme: Organization) -> None:
    with pytest.raises(WriteOutsideService):
        audit.record(OrganizationEvent.RENAMED, acme, actor=SYSTEM)


def test_labels_are_cut_to_what_their_columns_hold(acme: Organization, admin: User) -> None:
    actor = person(admin)._replace(label="n" * 1000)
    user = User.objects.create_user(f"{'n' * 64}@{'d' * 60}.{'d' * 60}.example", name="")
    with operation():
        Organization.objects.filter(pk=acme.pk).update(name="o" * 100)
    membership = MembershipFactory.create(organization=Organization.objects.get(), user=user)

    with operation():
        event = audit.record(OrganizationEvent.MEMBER_ADDED, membership, actor=actor)

    event.refresh_from_db()
    assert event.actor_label == "n" * 320
    assert len(event.target_label) == len(str(membership))


def test_an_event_outlives_its_subjects(acme: Organization, member: User) -> None:
    membership = Membership.objects.get(user=member)
    actor = person(member)
    with operation():
        event = audit.record(OrganizationEvent.MEMBER_REMOVED, membership, actor=actor)
        membership.delete()
    member.delete()

    event.refresh_from_db()
    assert (event.actor_label, event.actor_id) == ("Max Member", actor.id)
    assert event.target_label == "Max Member in Acme"
    assert str(event) == "Max Member: member.removed Max Member in Acme"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE organizations_auditevent SET event = 'forged'",
        "DELETE FROM organizations_auditevent",
    ],
)
def test_the_database_keeps_events_as_they_are(acme: Organization, change: str) -> None:
    before = list(AuditEvent.objects.values())

    with (
        pytest.raises(IntegrityError, match="audit_events_stay"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)

    assert before
    assert list(AuditEvent.objects.values()) == before


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE organizations_auditevent",
        "TRUNCATE django_session, organizations_auditevent CASCADE",
    ],
)
def test_the_database_refuses_to_empty_the_trail(acme: Organization, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="audit_events_are_not_truncated"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert AuditEvent.objects.exists()
    assert Membership.objects.exists()


def test_flush_leaves_the_trail(acme: Organization, committed: None) -> None:
    with pytest.raises(CommandError, match="couldn't be flushed"):
        call_command("flush", interactive=False)

    assert AuditEvent.objects.exists()


def _other(value: Any) -> Any:
    """A value of the same type that is not `value`."""
    if isinstance(value, UUID):
        return UUID(int=value.int ^ 1)
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1)
    if isinstance(value, int):
        return value + 1_000_000
    if isinstance(value, dict):
        return {**value, "name": "Acne"}
    return "203.0.113.6" if value == ORIGIN.ip else f"{value}x"


@pytest.mark.parametrize("field", [field.attname for field in AuditEvent._meta.fields])
def test_no_field_of_an_event_can_be_changed(acme: Organization, admin: User, field: str) -> None:
    rename_organization(acme, name="Acme Inc.", actor=person(admin))
    event = AuditEvent.objects.get(event="organization.renamed")
    changed = {field: _other(getattr(event, field))}

    with (
        pytest.raises(IntegrityError, match="audit_events_stay"),
        transaction.atomic(),
        allowed(),
    ):
        AuditEvent.objects.filter(pk=event.pk).update(**changed)

    assert getattr(AuditEvent.objects.get(pk=event.pk), field) != changed[field]


def test_not_even_an_operation_changes_or_deletes_an_event(acme: Organization) -> None:
    event = AuditEvent.objects.get()

    with pytest.raises(IntegrityError, match="audit_events_stay"), operation():
        event.save()
    with pytest.raises(IntegrityError, match="audit_events_stay"), operation():
        event.delete()

    assert AuditEvent.objects.get().event == "organization.created"

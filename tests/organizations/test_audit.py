from dataclasses import replace

import pytest
from django.db import IntegrityError, connection, transaction

from organizations import audit
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.writes import WriteOutsideService, operation
from tests.domain import person
from tests.factories import SYSTEM, MembershipFactory


def test_an_event_is_recorded_inside_an_operation_only(acme: Organization) -> None:
    with pytest.raises(WriteOutsideService):
        audit.record(OrganizationEvent.RENAMED, acme, actor=SYSTEM)


def test_labels_are_cut_to_what_their_columns_hold(acme: Organization, admin: User) -> None:
    actor = replace(person(admin), label="n" * 1000)
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


def test_not_even_an_operation_changes_or_deletes_an_event(acme: Organization) -> None:
    event = AuditEvent.objects.get()

    with pytest.raises(IntegrityError, match="audit_events_stay"), operation():
        event.save()
    with pytest.raises(IntegrityError, match="audit_events_stay"), operation():
        event.delete()

    assert AuditEvent.objects.get().event == "organization.created"

"""Invalid changes that the database rejects, also in SQL that bypasses the code."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core import ids, triggers
from core.transactions import operation
from core.triggers import Trigger
from organizations.models import AuditEvent, Membership, Organization, ServiceAccount, User
from organizations.roles import Role
from organizations.triggers import TRIGGERS
from tests.factories import MembershipFactory, ServiceAccountFactory


def _execute(sql: str, *parameters: Any) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


@pytest.mark.parametrize("number", [-5, 1, None])
def test_an_event_goes_to_the_end_of_the_trail_whatever_number_it_names(
    acme: Organization, number: int | None
) -> None:
    """PostgreSQL numbers it itself; SQLite refuses what isn't the end."""
    last = AuditEvent.objects.order_by("-number")[0]
    row = {str(one.column): getattr(last, one.attname) for one in last._meta.concrete_fields}
    row |= {"id": ids.new_id(), "number": last.number if number is None else number}
    columns = ", ".join(row)
    copied = columns.replace("id,", "%s,", 1).replace("number", "%s", 1)
    new = row["id"].hex if connection.vendor == "sqlite" else row["id"]
    sql = (
        f"INSERT INTO organizations_auditevent ({columns})"
        f" SELECT {copied} FROM organizations_auditevent WHERE number = %s"
    )

    if connection.vendor == "sqlite":
        with pytest.raises(IntegrityError, match="audit_events_take_the_next_number"):
            _execute(sql, new, row["number"], last.number)
        return
    assert _execute(sql, new, row["number"], last.number) == 1
    assert AuditEvent.objects.get(pk=row["id"]).number > last.number


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE organizations_membership SET role = 'member'",
        "DELETE FROM organizations_membership",
    ],
)
def test_an_organization_keeps_an_admin(acme: Organization, change: str) -> None:
    with pytest.raises(IntegrityError, match="an_organization_keeps_an_admin"):
        _execute(change)

    assert Membership.objects.get().role == Role.ADMIN


def test_the_last_admin_cannot_be_moved_to_another_organization(
    acme: Organization, globex: Organization, admin: User
) -> None:
    membership = Membership.objects.get(user=admin)
    membership.organization = globex

    with pytest.raises(IntegrityError, match="an_organization_keeps_an_admin"), operation():
        membership.save()


def test_one_of_two_admins_may_go(acme: Organization, admin: User) -> None:
    MembershipFactory.create(organization=acme, role=Role.ADMIN)

    with operation():
        Membership.objects.get(user=admin).delete()

    assert Membership.objects.get().role == Role.ADMIN


def test_two_admins_cannot_go_at_one_stroke(acme: Organization) -> None:
    MembershipFactory.create(organization=acme, role=Role.ADMIN)

    with pytest.raises(IntegrityError, match="an_organization_keeps_an_admin"):
        _execute("UPDATE organizations_membership SET role = 'member'")

    assert Membership.objects.filter(role=Role.ADMIN).count() == 2


def test_a_service_account_stays_in_its_organization(
    acme: Organization, globex: Organization
) -> None:
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme)
    account.organization = globex

    with (
        pytest.raises(IntegrityError, match="a_service_account_stays_in_its_organization"),
        operation(),
    ):
        account.save()


def test_a_role_that_does_not_exist_is_refused(acme: Organization, member: User) -> None:
    with pytest.raises(IntegrityError, match="role_is_known"):
        _execute("UPDATE organizations_membership SET role = 'owner' WHERE role = 'member'")


def test_a_person_has_one_membership_in_an_organization(acme: Organization, admin: User) -> None:
    with pytest.raises(IntegrityError), operation():
        Membership.objects.create(organization=acme, user=admin, role=Role.MEMBER)


def test_service_accounts_of_one_organization_have_names_of_their_own(acme: Organization) -> None:
    account = ServiceAccountFactory.create(organization=acme, name="Robot")

    with pytest.raises(IntegrityError), operation():
        ServiceAccount.objects.create(organization=acme, name="x", name_key=account.name_key)


def test_people_are_told_apart_by_e_mail_address_whatever_its_case(admin: User) -> None:
    _execute("UPDATE organizations_user SET email = upper(email)")

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="ada@acme.example")


ODD = Trigger(
    name="no_odd_names",
    table="organizations_organization",
    events=("UPDATE",),
    condition="NEW.name = 'Odd'",
)


def test_installing_twice_changes_nothing(acme: Organization) -> None:
    triggers.install(connection, TRIGGERS)
    triggers.install(connection, TRIGGERS)

    with pytest.raises(IntegrityError, match="an_organization_keeps_an_admin"):
        _execute("DELETE FROM organizations_membership")


def test_installing_a_changed_trigger_replaces_the_old_one(acme: Organization) -> None:
    triggers.install(connection, [ODD])
    changed = Trigger(name=ODD.name, table=ODD.table, events=ODD.events, condition="NEW.name = 'X'")

    triggers.install(connection, [changed])

    assert _execute("UPDATE organizations_organization SET name = 'Odd'") == 1
    with pytest.raises(IntegrityError, match="no_odd_names"):
        _execute("UPDATE organizations_organization SET name = 'X'")


def test_a_removed_trigger_refuses_nothing_and_may_be_removed_again(acme: Organization) -> None:
    triggers.install(connection, [ODD])

    triggers.remove(connection, [ODD])
    triggers.remove(connection, [ODD])

    assert _execute("UPDATE organizations_organization SET name = 'Odd'") == 1


def test_a_trigger_that_cannot_be_made_leaves_the_old_one_in_force(acme: Organization) -> None:
    triggers.install(connection, [ODD])
    broken = Trigger(name=ODD.name, table=ODD.table, events=ODD.events, condition="no such column")

    with pytest.raises(DatabaseError):
        triggers.install(connection, [broken])

    with pytest.raises(IntegrityError, match="no_odd_names"):
        _execute("UPDATE organizations_organization SET name = 'Odd'")

"""Staff add and remove members and change roles. The last admin stays."""

from django.test import Client

from organizations.models import Membership, Organization, User
from organizations.roles import Role
from tests.admin.support import act, change, everything, messages, only_event, text
from tests.factories import UserFactory

ADD = "/admin/organizations/membership/add/"


def test_a_person_is_added(browser: Client, staff: User, acme: Organization) -> None:
    person = UserFactory.create()

    browser.post(ADD, {"organization": acme.pk, "user": person.pk, "role": "member"})

    made = Membership.objects.get(user=person)
    assert (made.organization, made.role) == (acme, Role.MEMBER)
    assert only_event("member.added", staff).target_id == made.pk


def test_a_person_is_not_added_twice(browser: Client, acme: Organization, member: User) -> None:
    before = everything()

    response = browser.post(ADD, {"organization": acme.pk, "user": member.pk, "role": "admin"})

    assert response.status_code == 200
    assert "already exists" in text(response)
    assert everything() == before


def test_a_role_is_changed(browser: Client, staff: User, member: User) -> None:
    membership = Membership.objects.get(user=member)

    browser.post(change(membership), {"role": "admin"})

    membership.refresh_from_db()
    assert membership.role == Role.ADMIN
    only_event("member.role_changed", staff)


def test_the_last_admin_is_not_demoted(browser: Client, acme: Organization, admin: User) -> None:
    before = everything()

    response = browser.post(change(Membership.objects.get(user=admin)), {"role": "member"})

    assert response.status_code == 200
    assert "An organization needs at least one admin." in text(response)
    assert '<option value="member" selected>' in text(response)
    assert everything() == before


def test_a_membership_stays_with_its_person_and_organization(
    browser: Client, member: User, globex: Organization, outsider: User
) -> None:
    membership = Membership.objects.get(user=member)

    browser.post(
        change(membership), {"role": "member", "user": outsider.pk, "organization": globex.pk}
    )

    fresh = Membership.objects.get(pk=membership.pk)
    assert (fresh.user, fresh.organization) == (member, membership.organization)


def test_one_person_is_removed(browser: Client, staff: User, member: User) -> None:
    response = act(browser, "remove", Membership.objects.get(user=member))

    assert not Membership.objects.filter(user=member).exists()
    assert messages(response) == ["Removed people: 1."]
    only_event("member.removed", staff)


def test_of_several_people_the_last_admin_stays(
    browser: Client, staff: User, admin: User, member: User
) -> None:
    rows = Membership.objects.all()

    response = act(browser, "remove", *rows)

    assert [row.user for row in Membership.objects.all()] == [admin]
    assert messages(response) == [
        "Ada Acme in Acme: An organization needs at least one admin.",
        "Removed people: 1.",
    ]
    only_event("member.removed", staff)

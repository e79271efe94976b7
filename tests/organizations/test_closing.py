"""Closing an organization and reopening it: who may, what it hides, and who wins a race."""

from collections.abc import Callable

import pytest

from apikeys import services as key_services
from apikeys.services import Issued
from core.actors import Actor
from core.exceptions import Conflict, Forbidden, NotFound
from organizations import services
from organizations.audit import EventNotWritten
from organizations.models import AuditEvent, Membership, Organization, ServiceAccount, User
from organizations.roles import Role
from organizations.services import organizations as limits
from organizations.services.invitation_links import token_of
from tests.factories import (
    SYSTEM,
    InvitationFactory,
    MembershipFactory,
    OrganizationFactory,
    UserFactory,
)
from tests.support.api import CURRENT
from tests.support.client import ApiClient
from tests.support.domain import at_once, nothing_written, person, unwritable_trail


@pytest.fixture
def closed(acme: Organization) -> Organization:
    organization: Organization = services.close_organization(acme, actor=SYSTEM)
    return organization


def test_closing_turns_api_access_off_and_says_so_in_the_log(
    acme: Organization, as_admin: Actor
) -> None:
    services.close_organization(acme, actor=as_admin)

    acme.refresh_from_db()
    assert acme.closed_at is not None
    assert not acme.api_access_enabled
    event = AuditEvent.objects.get(event="organization.closed")
    assert event.actor_id == as_admin.id
    assert event.details == {"api_access_enabled": [True, False]}


def test_every_key_is_refused_from_the_next_request_on(
    call: ApiClient, acme: Organization, reader: Issued, as_admin: Actor
) -> None:
    assert call("GET", CURRENT, key=reader).status == 200

    services.close_organization(acme, actor=as_admin)

    assert call("GET", CURRENT, key=reader).status in (401, 403)


def test_its_members_see_nothing_of_it_and_staff_see_all(
    closed: Organization, admin: User, member: User, reader: Issued, staff: User
) -> None:
    for user in (admin, member):
        actor = person(user)
        assert not Organization.objects.visible_to(actor).exists()
        assert not Membership.objects.visible_to(actor).exists()
        assert not ServiceAccount.objects.visible_to(actor).exists()
        assert not type(reader.key).objects.visible_to(actor).exists()
        assert not AuditEvent.objects.visible_log_of(closed.pk, actor).exists()
    by_staff = Actor.staff(staff.id, str(staff))
    assert Organization.objects.visible_to(by_staff).get() == closed


def test_other_organizations_of_its_members_stay(closed: Organization, admin: User) -> None:
    other = OrganizationFactory.create(name="Other", admin=admin)

    assert list(Organization.objects.visible_to(person(admin))) == [other]


def test_its_admins_can_change_nothing_any_more(closed: Organization, admin: User) -> None:
    actor = person(admin)
    acts: list[Callable[[], object]] = [
        lambda: services.rename_organization(closed, name="Mine", actor=actor),
        lambda: services.leave_organization(closed, actor=actor),
        lambda: services.close_organization(closed, actor=actor),
        lambda: services.reopen_organization(closed, actor=actor),
        lambda: key_services.create_api_key(organization=closed, actor=actor, name="New"),
    ]

    for act in acts:
        with nothing_written(), pytest.raises(NotFound):
            act()


def test_it_does_not_count_toward_the_limit_of_its_admin(
    closed: Organization, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MOST_ORGANIZATIONS", 1)

    services.create_own_organization(name="Next", actor=person(admin))

    with nothing_written(), pytest.raises(Conflict, match="already an admin of 1 organizations"):
        services.create_own_organization(name="One more", actor=person(admin))


@pytest.mark.parametrize("ways", [1, 2], ids=["only admin", "one of two"])
def test_it_does_not_keep_its_admins_from_being_forgotten(
    acme: Organization, admin: User, ways: int
) -> None:
    if ways == 2:
        MembershipFactory.create(organization=acme, role=Role.ADMIN)
    invitation = InvitationFactory.create(organization=acme, actor=person(admin))
    with nothing_written(), pytest.raises(Conflict, match="They are still a member of Acme"):
        services.forget_person(admin, actor=SYSTEM)
    services.close_organization(acme, actor=SYSTEM)

    services.forget_person(admin, actor=SYSTEM)

    membership = Membership.objects.get(user=admin)
    assert (membership.role, str(membership.user)) == ("admin", f"Former person {admin.public_id}")
    assert not membership.user.is_active
    rows = [*AuditEvent.objects.values(), *User.objects.values()]
    assert "Ada Acme" not in str(rows)
    assert "ada@acme.example" not in str(rows)
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None


def test_once_reopened_it_can_get_another_admin(
    closed: Organization, admin: User, staff: User
) -> None:
    services.forget_person(admin, actor=SYSTEM)
    heir, by_staff = UserFactory.create(), Actor.staff(staff.id, str(staff))

    services.reopen_organization(closed, actor=by_staff)
    services.add_member(closed, user=heir, role=Role.ADMIN, actor=by_staff)
    services.remove_member(Membership.objects.get(user=admin), actor=person(heir))

    assert Membership.objects.get(organization=closed).user == heir
    label = AuditEvent.objects.latest("number").target_label
    assert label == f"Former person {admin.public_id} in Acme"


def test_nobody_joins_a_closed_organization(acme: Organization) -> None:
    dana = UserFactory.create(email="dana@acme.example")
    token = token_of(InvitationFactory.create(organization=acme, email=dana.email))
    services.close_organization(acme, actor=SYSTEM)

    with nothing_written(), pytest.raises(Conflict, match="This organization has been closed"):
        services.accept_invitation(token, actor=person(dana))


def test_api_access_of_a_closed_organization_stays_off(closed: Organization) -> None:
    with nothing_written(), pytest.raises(Conflict, match="Reopen it first"):
        services.set_api_access(closed, enabled=True, actor=SYSTEM)


def test_staff_reopen_it_and_turn_api_access_on_separately(
    closed: Organization, admin: User, staff: User, call: ApiClient, reader: Issued
) -> None:
    by_staff = Actor.staff(staff.id, str(staff))

    services.reopen_organization(closed, actor=by_staff)

    assert Organization.objects.visible_to(person(admin)).get() == closed
    assert AuditEvent.objects.get(event="organization.reopened").actor_id == staff.id
    assert call("GET", CURRENT, key=reader).status in (401, 403)
    services.set_api_access(closed, enabled=True, actor=by_staff)
    assert call("GET", CURRENT, key=reader).status == 200


def test_closing_and_reopening_again_writes_nothing(acme: Organization) -> None:
    with nothing_written():
        services.reopen_organization(acme, actor=SYSTEM)
    services.close_organization(acme, actor=SYSTEM)
    with nothing_written():
        services.close_organization(acme, actor=SYSTEM)


def test_reopening_that_cannot_be_recorded_leaves_it_closed(closed: Organization) -> None:
    with nothing_written(), unwritable_trail(), pytest.raises(EventNotWritten):
        services.reopen_organization(closed, actor=SYSTEM)


@pytest.mark.parametrize("part", ["manager", "foreigner"])
def test_no_key_closes_or_reopens(
    part: str, acme: Organization, act_as: Callable[[str], Actor]
) -> None:
    actor = act_as(part)

    for act in (services.close_organization, services.reopen_organization):
        with nothing_written(), pytest.raises((Forbidden, NotFound)):
            act(acme, actor=actor)


def test_of_closing_and_turning_access_on_closing_wins(committed: None) -> None:
    acme: Organization = OrganizationFactory.create()
    services.set_api_access(acme, enabled=False, actor=SYSTEM)

    at_once(
        [
            lambda: services.close_organization(acme, actor=SYSTEM),
            lambda: services.set_api_access(acme, enabled=True, actor=SYSTEM),
        ]
    )

    acme.refresh_from_db()
    assert acme.closed_at is not None
    assert not acme.api_access_enabled


def test_a_key_that_is_created_meanwhile_is_refused_or_dead(
    committed: None, call: ApiClient
) -> None:
    user = UserFactory.create()
    acme: Organization = OrganizationFactory.create(admin=user)
    assert Membership.objects.get(user=user).role == Role.ADMIN

    _, made = at_once(
        [
            lambda: services.close_organization(acme, actor=SYSTEM),
            lambda: key_services.create_api_key(
                organization=acme, actor=person(user), name="New", scopes=["search:read"]
            ),
        ]
    )

    if isinstance(made, Issued):
        assert call("GET", CURRENT, key=made).status in (401, 403)
    else:
        assert isinstance(made, NotFound)

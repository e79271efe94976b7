"""Services for members and their roles."""

from collections.abc import Callable

import pytest

from apikeys.services import Issued
from apikeys.verification.verify import verify
from core.actors import Actor
from core.exceptions import Conflict, ErrorCode, Forbidden, NotFound
from organizations import services
from organizations.audit import EventNotWritten
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.roles import Role
from tests.factories import SYSTEM, IssuedKeyFactory, MembershipFactory, UserFactory
from tests.support.domain import every_row, nothing_written, person, unwritable_trail


@pytest.fixture
def first(acme: Organization, admin: User) -> Membership:
    """The membership of Acme's only admin."""
    return Membership.objects.get(organization=acme, user=admin)


def test_a_new_member_has_the_role_that_was_given(acme: Organization, outsider: User) -> None:
    membership = services.add_member(acme, user=outsider, role=Role.MEMBER, actor=SYSTEM)

    membership.refresh_from_db()
    assert (membership.user, membership.role) == (outsider, Role.MEMBER)
    assert AuditEvent.objects.latest("id").details["role"] == "member"


def test_nobody_joins_twice(acme: Organization, member: User) -> None:
    before = every_row()

    with pytest.raises(Conflict, match="already a member"):
        services.add_member(acme, user=member, role=Role.ADMIN, actor=SYSTEM)

    assert every_row() == before


def test_a_change_of_role_tells_both_roles(acme: Organization, member: User) -> None:
    membership = Membership.objects.get(organization=acme, user=member)

    services.change_role(membership, role=Role.ADMIN, actor=SYSTEM)

    membership.refresh_from_db()
    assert membership.role == Role.ADMIN
    assert AuditEvent.objects.latest("id").details["role"] == ["member", "admin"]


def test_the_last_admin_cannot_step_down(first: Membership, admin: User) -> None:
    before = every_row()

    with pytest.raises(Conflict) as refusal:
        services.change_role(first, role=Role.MEMBER, actor=person(admin))

    assert refusal.value.code is ErrorCode.LAST_ADMIN
    assert every_row() == before


def test_the_last_admin_cannot_leave(first: Membership, admin: User) -> None:
    before = every_row()

    with pytest.raises(Conflict) as refusal:
        services.remove_member(first, actor=person(admin))

    assert refusal.value.code is ErrorCode.LAST_ADMIN
    assert every_row() == before


def test_an_admin_can_leave_to_another(acme: Organization, first: Membership) -> None:
    second = MembershipFactory.create(organization=acme, role=Role.ADMIN)

    services.remove_member(first, actor=SYSTEM)

    assert list(Membership.objects.for_organization(acme.id)) == [second]


def test_a_deactivated_admin_is_nobody_to_leave_an_organization_to(
    acme: Organization, first: Membership
) -> None:
    gone = UserFactory.create(is_active=False)
    MembershipFactory.create(organization=acme, user=gone, role=Role.ADMIN)

    with pytest.raises(Conflict) as refusal:
        services.change_role(first, role=Role.MEMBER, actor=SYSTEM)

    assert refusal.value.code is ErrorCode.LAST_ADMIN


def test_admins_of_other_organizations_do_not_count(
    first: Membership, globex: Organization
) -> None:
    with pytest.raises(Conflict) as refusal:
        services.remove_member(first, actor=SYSTEM)

    assert refusal.value.code is ErrorCode.LAST_ADMIN


def test_somebody_who_left_meanwhile_cannot_be_changed(acme: Organization, member: User) -> None:
    stale = Membership.objects.get(organization=acme, user=member)
    services.remove_member(Membership.objects.get(pk=stale.pk), actor=SYSTEM)

    with pytest.raises(NotFound, match="no longer a member"):
        services.change_role(stale, role=Role.ADMIN, actor=SYSTEM)


def test_the_id_of_a_membership_that_ended_is_not_used_again(
    acme: Organization, outsider: User
) -> None:
    """AB74."""
    membership = services.add_member(acme, user=outsider, role=Role.MEMBER, actor=SYSTEM)
    used = membership.pk
    services.remove_member(membership, actor=SYSTEM)

    again = services.add_member(acme, user=outsider, role=Role.MEMBER, actor=SYSTEM)
    assert again.pk != used


def test_the_keys_of_somebody_who_left_go_on_working(acme: Organization, member: User) -> None:
    membership = Membership.objects.get(organization=acme, user=member)
    services.change_role(membership, role=Role.ADMIN, actor=SYSTEM)
    issued: Issued = IssuedKeyFactory.create(organization=acme, actor=person(member))

    services.remove_member(membership, actor=SYSTEM)

    assert verify(issued.secret).refusal is None


def test_a_member_can_leave(acme: Organization, member: User) -> None:
    services.leave_organization(acme, actor=person(member))

    assert not Membership.objects.filter(user=member).exists()
    event = AuditEvent.objects.latest("id")
    assert (event.event, event.actor_label) == ("member.left", "Max Member")
    details = {"role": "member", "person": member.public_id}
    assert (event.target_type, event.details) == ("Membership", details)


def test_the_last_admin_cannot_leave_by_themselves(acme: Organization, admin: User) -> None:
    with nothing_written(), pytest.raises(Conflict) as refusal:
        services.leave_organization(acme, actor=person(admin))

    assert refusal.value.code is ErrorCode.LAST_ADMIN


def test_nobody_leaves_what_they_are_not_in(acme: Organization, outsider: User) -> None:
    with nothing_written(), pytest.raises(NotFound):
        services.leave_organization(acme, actor=person(outsider))


@pytest.mark.parametrize("part", ["staff", "system", "manager"])
def test_only_people_leave(part: str, acme: Organization, act_as: Callable[[str], Actor]) -> None:
    actor = act_as(part)

    with nothing_written(), pytest.raises(Forbidden):
        services.leave_organization(acme, actor=actor)


def test_leaving_without_an_event_leaves_nothing_changed(acme: Organization, member: User) -> None:
    with (
        nothing_written(),
        unwritable_trail(),
        pytest.raises(EventNotWritten, match="no_event_can_be_written"),
    ):
        services.leave_organization(acme, actor=person(member))

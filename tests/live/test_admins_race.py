"""An organization keeps an admin, however its admins race each other."""

from collections.abc import Callable

from django.db import connections

from organizations import services
from organizations.actors import Actor
from organizations.exceptions import DomainError
from organizations.models import Membership, Organization, User
from organizations.roles import Role
from tests.factories import MembershipFactory, UserFactory
from tests.live.conftest import at_once


def race(memberships: list[Membership], act: Callable[[Membership, Actor], object]) -> list[bool]:
    """Each admin acts on the next one, all at once; who succeeded."""

    def one(number: int) -> bool:
        me, other = memberships[number], memberships[(number + 1) % len(memberships)]
        try:
            act(other, Actor.person(me.user_id, "racer"))
        except DomainError:
            return False
        finally:
            connections.close_all()
        return True

    return at_once(len(memberships), one)


def admins_of(organization: Organization) -> list[Membership]:
    return list(organization.memberships.admins().select_related("organization", "user"))


def test_admins_who_demote_each_other_leave_one(
    committed: None, acme: Organization, admin: User
) -> None:
    for _ in range(5):
        while len(admins_of(acme)) < 6:
            user = UserFactory.create()
            MembershipFactory.create(organization=acme, user=user, role=Role.ADMIN)

        wins = race(
            admins_of(acme),
            lambda other, actor: services.change_role(other, role=Role.MEMBER, actor=actor),
        )

        assert len(admins_of(acme)) == 6 - sum(wins)
        assert admins_of(acme)


def test_admins_who_remove_each_other_leave_one(
    committed: None, acme: Organization, admin: User
) -> None:
    while len(admins_of(acme)) < 6:
        MembershipFactory.create(organization=acme, user=UserFactory.create(), role=Role.ADMIN)

    wins = race(admins_of(acme), lambda other, actor: services.remove_member(other, actor=actor))

    assert len(admins_of(acme)) == 6 - sum(wins)
    assert admins_of(acme)

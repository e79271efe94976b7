"""An organization keeps an admin when its admins change roles concurrently."""

from collections.abc import Callable

import httpx
from django.db import connections
from django.test import Client

from core.actors import Actor
from core.exceptions import DomainError
from organizations import services
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.roles import Role
from tests.factories import SYSTEM, MembershipFactory, UserFactory
from tests.pages.support import sign_in
from tests.reliability.live.conftest import Server, at_once, rounds

ROUNDS = rounds("RACE_ROUNDS", 5)


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
    for _ in range(ROUNDS):
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
    for _ in range(ROUNDS):
        while len(admins_of(acme)) < 6:
            MembershipFactory.create(organization=acme, user=UserFactory.create(), role=Role.ADMIN)

        wins = race(
            admins_of(acme), lambda other, actor: services.remove_member(other, actor=actor)
        )

        assert len(admins_of(acme)) == 6 - sum(wins)
        assert admins_of(acme)


def test_two_admins_who_demote_each_other_in_their_browsers_leave_one(
    server: Server, acme: Organization, admin: User, events: Callable[[str], list[AuditEvent]]
) -> None:
    other = UserFactory.create()
    pair = [
        acme.memberships.get(user=admin),
        MembershipFactory.create(organization=acme, user=other, role=Role.ADMIN),
    ]
    sessions = [sign_in(user, Client()).cookies["sessionid"].value for user in (admin, other)]

    def demote(number: int) -> int:
        path = f"/o/{acme.slug}/settings/members/{pair[1 - number].pk}/role/"
        return post_form(server, path, sessions[number], role="member")

    for number in range(ROUNDS):
        statuses = at_once(2, demote)

        # Who comes second is no admin any more.
        assert sorted(statuses) in ([303, 403], [303, 404])
        assert acme.memberships.admins().count() == 1
        assert len(events("member.role_changed")) == 2 * number + 1
        loser = acme.memberships.select_related("user", "organization").get(role=Role.MEMBER)
        services.change_role(loser, role=Role.ADMIN, actor=SYSTEM)


def post_form(server: Server, path: str, session: str, **form: str) -> int:
    """The status of a form that a browser with a session sends."""
    token = "t" * 32
    cookies = f"sessionid={session}; csrftoken={token}"
    url, data = server.address + path, {"csrfmiddlewaretoken": token, **form}
    return httpx.post(
        url, data=data, headers={"Cookie": cookies}, trust_env=False, timeout=60
    ).status_code

"""Querysets show callers only the rows of their own organizations."""

from collections.abc import Callable

import pytest

from core.actors import Actor, ActorKind
from core.transactions import allowed
from organizations.models import AuditEvent, Membership, Organization, ServiceAccount, User
from organizations.roles import Role
from tests.factories import MembershipFactory, ServiceAccountFactory
from tests.support.domain import person

ActAs = Callable[[str], Actor]
OWNED = [Membership, ServiceAccount, AuditEvent]


@pytest.fixture(autouse=True)
def both(acme: Organization, globex: Organization) -> None:
    """Something to see in both organizations."""
    ServiceAccountFactory.create(organization=acme)
    ServiceAccountFactory.create(organization=globex)


def _seen(model: type[Membership | ServiceAccount | AuditEvent], actor: Actor) -> set[str]:
    ids = model.objects.visible_to(actor).values_list("organization_id", flat=True)
    return {str(Organization.objects.get(pk=pk)) if pk else "nobody's" for pk in ids}


@pytest.mark.parametrize("model", OWNED)
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("admin", {"Acme"}),
        ("member", {"Acme"}),
        ("manager", {"Acme"}),
        ("reader", {"Acme"}),
        ("outsider", {"Globex"}),
        ("foreigner", {"Globex"}),
        ("staff", {"Acme", "Globex"}),
        ("system", {"Acme", "Globex"}),
    ],
)
def test_everybody_sees_the_rows_of_their_own_organization(
    model: type[Membership], part: str, expected: set[str], act_as: ActAs
) -> None:
    assert _seen(model, act_as(part)) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("admin", {"Acme"}),
        ("member", {"Acme"}),
        ("reader", {"Acme"}),
        ("outsider", {"Globex"}),
        ("foreigner", {"Globex"}),
        ("staff", {"Acme", "Globex"}),
        ("system", {"Acme", "Globex"}),
    ],
)
def test_everybody_sees_their_own_organization(
    part: str, expected: set[str], act_as: ActAs
) -> None:
    assert {str(o) for o in Organization.objects.visible_to(act_as(part))} == expected


def test_a_member_of_two_organizations_sees_both(globex: Organization, admin: User) -> None:
    MembershipFactory.create(organization=globex, user=admin, role=Role.MEMBER)

    assert _seen(ServiceAccount, person(admin)) == {"Acme", "Globex"}


@pytest.mark.parametrize("model", OWNED)
def test_a_deactivated_person_sees_nothing(model: type[Membership], admin: User) -> None:
    admin.is_active = False
    admin.save()

    assert _seen(model, person(admin)) == set()
    assert not Organization.objects.visible_to(person(admin)).exists()


def test_somebody_who_left_sees_nothing(member: User) -> None:
    with allowed():
        Membership.objects.filter(user=member).delete()

    assert _seen(ServiceAccount, person(member)) == set()


@pytest.mark.parametrize("model", OWNED)
def test_a_key_of_no_organization_sees_nothing(model: type[Membership]) -> None:
    stray = Actor(kind=ActorKind.KEY, label="Stray", scopes=frozenset({"api-keys:manage"}))

    assert _seen(model, stray) == set()
    assert not Organization.objects.visible_to(stray).exists()


@pytest.mark.parametrize("part", ["admin", "manager"])
def test_an_event_of_no_organization_is_no_customers(part: str, act_as: ActAs) -> None:
    """AB06."""
    with allowed():
        AuditEvent.objects.create(event="stray", actor_kind="system", actor_label="system")

    assert "nobody's" not in _seen(AuditEvent, act_as(part))
    assert "nobody's" in _seen(AuditEvent, act_as("staff"))


def test_the_admins_of_an_organization_are_not_its_members(
    acme: Organization, admin: User, member: User
) -> None:
    admins = Membership.objects.for_organization(acme.id).admins()

    assert [membership.user for membership in admins] == [admin]

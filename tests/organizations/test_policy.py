"""Authorization: what each kind of actor and role may do."""

from collections.abc import Callable

import pytest

from core.actors import Actor, ActorKind
from core.exceptions import ErrorCode, Forbidden, NotFound
from organizations import policy
from organizations.models import Organization, User
from organizations.roles import ALLOWED, KEY_SCOPES, STAFF_ONLY, Action, Role
from tests.factories import MembershipFactory
from tests.support.domain import person

ActAs = Callable[[str], Actor]
MANAGE = {Action.VIEW_KEYS, Action.MANAGE_KEYS, Action.MANAGE_TEMPLATES}
OPEN = {Action.VIEW_ORGANIZATION, Action.VIEW_TEMPLATES}
BY_STAFF = {
    Action.REOPEN_ORGANIZATION,
    Action.SET_API_ACCESS,
    Action.SET_TIER,
    Action.SET_KEY_LIMIT,
}


def _allowed(actor: Actor, organization: Organization) -> set[Action]:
    """What the policy lets through; every refusal has to be Forbidden."""
    allowed = set()
    for action in Action:
        try:
            policy.require(actor, action, organization)
        except Forbidden:
            continue
        allowed.add(action)
    return allowed


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("admin", set(Action) - BY_STAFF),
        ("member", OPEN),
        ("manager", OPEN | MANAGE),
        ("reader", OPEN),
        ("tester", OPEN | MANAGE),
        ("staff", set(Action)),
        ("system", set(Action)),
    ],
)
def test_each_part_may_do_exactly_this(
    part: str, expected: set[Action], acme: Organization, act_as: ActAs
) -> None:
    assert _allowed(act_as(part), acme) == expected


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("part", ["outsider", "foreigner"])
def test_nobody_learns_of_an_organization_that_is_not_theirs(
    part: str, action: Action, acme: Organization, globex: Organization, act_as: ActAs
) -> None:
    with pytest.raises(NotFound) as refusal:
        policy.require(act_as(part), action, acme)

    assert str(refusal.value) == "No such resource."


def test_authority_comes_from_the_role_in_the_organization_asked_about(
    acme: Organization, globex: Organization, admin: User
) -> None:
    """AB07."""
    MembershipFactory.create(organization=globex, user=admin, role=Role.MEMBER)
    actor = person(admin)

    policy.require(actor, Action.MANAGE_KEYS, acme)
    with pytest.raises(Forbidden) as refusal:
        policy.require(actor, Action.MANAGE_KEYS, globex)

    assert refusal.value.code is ErrorCode.FORBIDDEN


def test_a_deactivated_admin_is_nobody(acme: Organization, admin: User) -> None:
    admin.is_active = False
    admin.save()

    with pytest.raises(NotFound):
        policy.require(person(admin), Action.VIEW_ORGANIZATION, acme)


def test_being_staff_gives_no_rights_outside_the_administration(
    acme: Organization, staff: User
) -> None:
    with pytest.raises(NotFound):
        policy.require(person(staff), Action.VIEW_ORGANIZATION, acme)


@pytest.mark.parametrize("scopes", [None, frozenset[str]()])
def test_a_key_without_scopes_holds_none(scopes: frozenset[str] | None, acme: Organization) -> None:
    key = Actor(kind=ActorKind.KEY, label="Bare", organization_id=acme.id, scopes=scopes)

    with pytest.raises(Forbidden) as refusal:
        policy.require(key, Action.VIEW_KEYS, acme)

    assert refusal.value.code is ErrorCode.INSUFFICIENT_SCOPE


def test_a_key_of_no_organization_finds_none(acme: Organization) -> None:
    key = Actor(kind=ActorKind.KEY, label="Stray", scopes=frozenset({"api-keys:manage"}))

    with pytest.raises(NotFound):
        policy.require(key, Action.VIEW_ORGANIZATION, acme)


def test_every_role_has_its_row_and_no_role_a_switch_of_the_provider() -> None:
    assert set(ALLOWED) == set(Role)
    assert not any(allowed & STAFF_ONLY for allowed in ALLOWED.values())
    assert not set(KEY_SCOPES) & STAFF_ONLY


def test_the_system_is_no_principal() -> None:
    with pytest.raises(LookupError):
        _ = Actor.system().principal_id


@pytest.mark.parametrize("lost", ["is_active", "is_staff"])
def test_staff_are_read_again(acme: Organization, staff: User, lost: str) -> None:
    """What a request began with may have been taken away since."""
    actor = Actor.staff(staff.id, str(staff))
    policy.require(actor, Action.SET_TIER, acme)
    User.objects.filter(pk=staff.pk).update(**{lost: False})

    for require in (policy.require_staff, policy.require_may_create_organization):
        with pytest.raises(Forbidden):
            require(actor)
    with pytest.raises(Forbidden):
        policy.require(actor, Action.SET_TIER, acme)

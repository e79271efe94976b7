"""Every service on organizations checks permission, writes, and records one event, or fails."""

from collections.abc import Callable

import pytest

from core.actors import Actor
from core.exceptions import ErrorCode, Forbidden, NotFound
from organizations.audit import EventNotWritten
from organizations.models import AuditEvent, User
from tests.organizations.operations import ALL, BOUND, IDLE, ON_PEOPLE, World
from tests.support.domain import ORIGIN, every_row, new_events, nothing_written, unwritable_trail

STAFF_ONLY = ("close the API", "change tier", "change limit of keys")
CUSTOMERS = {name: operation for name, operation in BOUND.items() if name not in STAFF_ONLY}
ActAs = Callable[[str], Actor]


@pytest.mark.parametrize("name", ALL)
def test_each_operation_leaves_one_event_that_says_who_what_and_from_where(
    name: str, world: World, act_as: ActAs
) -> None:
    actor, before = act_as("staff"), AuditEvent.objects.count()

    result = ALL[name].run(world, actor)

    (event,) = new_events(before)
    assert event.event == ALL[name].event
    assert (event.actor_kind, event.actor_id, event.actor_label) == ("staff", actor.id, "Sam Staff")
    assert event.target_type == ALL[name].target_type
    assert event.target_id == ALL[name].target_id(world, result)
    assert event.target_label
    owners = {"create organization": event.target_id, **dict.fromkeys(ON_PEOPLE)}
    assert event.organization_id == owners.get(name, world.acme.id)
    assert (event.ip, event.user_agent) == (ORIGIN.ip, ORIGIN.user_agent)
    assert event.request_id == ORIGIN.request_id


@pytest.mark.parametrize("name", ALL)
def test_an_operation_whose_event_cannot_be_written_leaves_nothing(
    name: str, world: World, act_as: ActAs
) -> None:
    actor = act_as("system")

    with (
        nothing_written(),
        unwritable_trail(),
        pytest.raises(EventNotWritten, match="no_event_can_be_written"),
    ):
        ALL[name].run(world, actor)


@pytest.mark.parametrize("name", IDLE)
def test_asking_for_what_is_so_already_writes_nothing(
    name: str, world: World, act_as: ActAs
) -> None:
    actor = act_as("system")

    with nothing_written():
        IDLE[name](world, actor)


@pytest.mark.parametrize("name", CUSTOMERS)
def test_an_admin_may_do_all_that_is_not_for_staff(name: str, world: World, act_as: ActAs) -> None:
    before = AuditEvent.objects.count()

    CUSTOMERS[name].run(world, act_as("admin"))

    (event,) = new_events(before)
    assert event.actor_label == "Ada Acme"


@pytest.mark.parametrize("name", STAFF_ONLY)
def test_an_admin_may_not_turn_the_providers_switches(
    name: str, world: World, act_as: ActAs
) -> None:
    with nothing_written(), pytest.raises(Forbidden, match="Only support"):
        BOUND[name].run(world, act_as("admin"))


@pytest.mark.parametrize("name", BOUND)
@pytest.mark.parametrize("part", ["member", "manager", "reader"])
def test_members_and_keys_are_forbidden_and_nothing_changes(
    name: str, part: str, world: World, act_as: ActAs
) -> None:
    actor = act_as(part)

    with nothing_written(), pytest.raises(Forbidden) as refusal:
        BOUND[name].run(world, actor)

    assert refusal.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("name", BOUND)
@pytest.mark.parametrize("part", ["outsider", "foreigner"])
def test_to_everybody_else_the_organization_does_not_exist(
    name: str, part: str, world: World, act_as: ActAs
) -> None:
    actor = act_as(part)

    with nothing_written(), pytest.raises(NotFound):
        BOUND[name].run(world, actor)


@pytest.mark.parametrize("name", BOUND)
def test_a_deactivated_admin_finds_nothing_any_more(
    name: str, world: World, admin: User, act_as: ActAs
) -> None:
    admin.is_active = False
    admin.save()

    with pytest.raises(NotFound):
        BOUND[name].run(world, act_as("admin"))


@pytest.mark.parametrize("name", ON_PEOPLE)
@pytest.mark.parametrize("part", ["admin", "member", "outsider", "manager", "foreigner"])
def test_only_staff_write_to_other_peoples_accounts(
    name: str, part: str, world: World, act_as: ActAs
) -> None:
    actor, before, people = act_as(part), every_row(), User.objects.count()

    with pytest.raises(Forbidden, match="Only staff"):
        ON_PEOPLE[name].run(world, actor)

    assert (every_row(), User.objects.count()) == (before, people)

"""Every service on keys checks permission, writes, and records one event, or changes nothing."""

import json
from collections.abc import Callable

import pytest

from apikeys.models import ApiKey, ApiKeySecret
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from core.exceptions import ErrorCode, Forbidden, NotFound
from organizations.audit import EventNotWritten
from organizations.models import AuditEvent, User
from tests.apikeys.operations import ALL, BOUND, IDLE, LIVE_ONLY, ON_KEYS, World
from tests.support.domain import ORIGIN, acting, new_events, nothing_written, unwritable_trail

ActAs = Callable[[str], Actor]


@pytest.mark.parametrize("name", ALL)
def test_each_operation_leaves_one_event_that_says_who_what_and_from_where(
    name: str, world: World, act_as: ActAs
) -> None:
    actor, before = act_as("admin"), AuditEvent.objects.count()

    result = ALL[name].run(world, actor)

    (event,) = new_events(before)
    assert event.event == ALL[name].event
    assert (event.actor_kind, event.actor_id) == ("person", actor.id)
    assert event.actor_label == "Ada Acme"
    assert event.target_type == ALL[name].target_type
    assert event.target_id == ALL[name].target_id(world, result)
    assert event.organization_id == world.acme.id
    assert (event.ip, event.user_agent) == (ORIGIN.ip, ORIGIN.user_agent)
    assert event.request_id == ORIGIN.request_id


@pytest.mark.parametrize("name", ALL)
def test_no_event_holds_a_secret_or_a_digest(name: str, world: World, act_as: ActAs) -> None:
    result = ALL[name].run(world, act_as("system"))

    trail = json.dumps(list(AuditEvent.objects.values()), default=str)
    digests = [bytes(d).hex() for d in ApiKeySecret.objects.values_list("digest", flat=True)]
    assert not [digest for digest in digests if digest in trail]
    assert not isinstance(result, Issued) or result.secret not in trail


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


@pytest.mark.parametrize("name", BOUND)
@pytest.mark.parametrize("part", ["admin", "manager", "staff", "system"])
def test_admins_managing_keys_staff_and_the_system_are_allowed(
    name: str, part: str, world: World, act_as: ActAs
) -> None:
    actor, before = act_as(part), AuditEvent.objects.count()

    BOUND[name].run(world, actor)

    (event,) = new_events(before)
    assert (event.actor_kind, event.actor_id) == (actor.kind, actor.id)


@pytest.mark.parametrize("name", BOUND)
@pytest.mark.parametrize(
    ("part", "code"),
    [("member", ErrorCode.FORBIDDEN), ("reader", ErrorCode.INSUFFICIENT_SCOPE)],
)
def test_members_and_keys_without_the_scope_are_forbidden(
    name: str, part: str, code: ErrorCode, world: World, act_as: ActAs
) -> None:
    actor = act_as(part)

    with nothing_written(), pytest.raises(Forbidden) as refusal:
        BOUND[name].run(world, actor)

    assert refusal.value.code is code


@pytest.mark.parametrize("name", BOUND)
@pytest.mark.parametrize("part", ["outsider", "foreigner"])
def test_to_everybody_else_keys_and_templates_do_not_exist(
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


@pytest.mark.parametrize("name", ON_KEYS)
def test_to_a_test_key_live_keys_do_not_exist(name: str, world: World, act_as: ActAs) -> None:
    actor = act_as("tester")

    with nothing_written(), pytest.raises(NotFound):
        ON_KEYS[name].run(world, actor)


@pytest.mark.parametrize("name", LIVE_ONLY)
def test_a_test_key_makes_no_live_keys_and_changes_no_templates(
    name: str, world: World, act_as: ActAs
) -> None:
    actor = act_as("tester")

    with nothing_written(), pytest.raises(Forbidden) as refusal:
        LIVE_ONLY[name].run(world, actor)

    assert refusal.value.code is ErrorCode.LIVE_KEY_REQUIRED


def test_the_name_of_another_permission_is_no_permission(
    world: World,
) -> None:
    """AB13, AB14: only the exact scope counts."""
    lookalikes = ["api-keys:manage2", "API-KEYS:MANAGE", "api-keys", "manage keys", "*"]
    with transactions.allowed():
        ApiKey.objects.filter(pk=world.key.pk).update(scopes=lookalikes)
    actor = acting(Issued(ApiKey.objects.get(pk=world.key.pk), ""))

    with pytest.raises(Forbidden) as refusal:
        ON_KEYS["revoke"].run(world, actor)

    assert refusal.value.code is ErrorCode.INSUFFICIENT_SCOPE

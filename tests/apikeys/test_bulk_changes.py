"""Disabling and enabling several keys in one operation."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import MOST_SWITCHED, Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core import bulkheads
from core.exceptions import Busy, Conflict, ErrorCode, Forbidden, NotFound
from organizations.audit import EventNotWritten
from organizations.models import AuditEvent, Organization, User
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM
from tests.pages.support import add_many_keys
from tests.support.api import MakeKey
from tests.support.domain import acting, at_once, nothing_written, person, unwritable_trail

Switch = Callable[..., list[ApiKey]]
disable = partial(services.set_api_keys_enabled, enabled=False)
enable = partial(services.set_api_keys_enabled, enabled=True)


@pytest.fixture
def three(make_key: MakeKey) -> list[Issued]:
    return [make_key(name=f"Key {n}", scopes=["search:read"]) for n in range(3)]


def _events(name: str) -> list[str]:
    events = AuditEvent.objects.filter(event=f"api_key.{name}").order_by("id")
    return [event.target_label for event in events]


def test_each_key_is_refused_and_has_an_event(three: list[Issued], admin: User) -> None:
    changed = disable([three[n].key for n in (2, 0)], actor=person(admin))

    assert [key.name for key in changed] == ["Key 2", "Key 0"]
    refusals = [verify(issued.secret).refusal for issued in three]
    assert refusals == [Refusal.DISABLED, None, Refusal.DISABLED]
    assert _events("disabled") == ["Key 2", "Key 0"]
    event = AuditEvent.objects.filter(event="api_key.disabled").first()
    assert event
    assert event.details == {"enabled": [True, False]}

    enable(changed, actor=person(admin))

    assert [verify(issued.secret).refusal for issued in three] == [None, None, None]
    assert _events("enabled") == ["Key 2", "Key 0"]


def test_a_key_that_is_given_twice_is_taken_once(issued: Issued) -> None:
    assert len(disable([issued.key, issued.key], actor=SYSTEM)) == 1
    assert len(_events("disabled")) == 1


def test_keys_that_are_so_already_stay_as_they_are(three: list[Issued]) -> None:
    keys = [issued.key for issued in three]
    (before,) = disable(keys[:1], actor=SYSTEM)

    after = disable(keys, actor=SYSTEM)

    assert after[0].disabled_at == before.disabled_at
    assert _events("disabled") == ["Key 0", "Key 1", "Key 2"]


@pytest.mark.parametrize("switch", [disable, enable])
def test_a_revoked_key_leaves_all_as_they_are(three: list[Issued], switch: Switch) -> None:
    keys = [issued.key for issued in three]
    disable(keys[:1], actor=SYSTEM)
    services.revoke_api_key(keys[2], actor=SYSTEM)

    with nothing_written(), pytest.raises(Conflict) as refusal:
        switch(keys, actor=SYSTEM)

    assert refusal.value.code is ErrorCode.KEY_REVOKED


def test_another_organizations_key_leaves_all_as_they_are(
    three: list[Issued], foreigner: Issued, admin: User
) -> None:
    keys = [*(issued.key for issued in three), foreigner.key]

    with nothing_written(), pytest.raises(NotFound):
        disable(keys, actor=person(admin))


def test_a_key_enables_nothing_that_can_do_more(make_key: MakeKey) -> None:
    actor = acting(make_key(name="Maker", scopes=["api-keys:manage", "search:read"]))
    narrow = make_key(name="Narrow", scopes=["search:read"]).key
    wide = make_key(name="Wide", scopes=ALL_SCOPES).key
    disable([narrow, wide], actor=actor)

    with nothing_written(), pytest.raises(Forbidden) as refusal:
        enable([narrow, wide], actor=actor)

    assert refusal.value.code is ErrorCode.INSUFFICIENT_SCOPE
    assert [key.name for key in enable([narrow], actor=actor)] == ["Narrow"]


@pytest.mark.parametrize("switch", [disable, enable])
def test_of_an_event_that_cannot_be_written_nothing_is_left(
    three: list[Issued], switch: Switch
) -> None:
    keys = [issued.key for issued in three]
    if switch is enable:
        disable(keys, actor=SYSTEM)

    with nothing_written(), unwritable_trail(), pytest.raises(EventNotWritten):
        switch(keys, actor=SYSTEM)


def test_at_most_a_hundred(acme: Organization, admin: User) -> None:
    add_many_keys(acme, admin, MOST_SWITCHED + 1)
    keys = list(ApiKey.objects.all())

    with nothing_written(), pytest.raises(Conflict) as refusal:
        disable(keys, actor=SYSTEM)

    assert refusal.value.code is ErrorCode.TOO_MANY_KEYS
    assert len(disable(keys[1:], actor=SYSTEM)) == MOST_SWITCHED


def test_queries_do_not_grow_with_the_keys(acme: Organization, admin: User) -> None:
    add_many_keys(acme, admin, 42)
    keys = list(ApiKey.objects.select_related("organization"))

    def count(some: list[ApiKey]) -> int:
        with CaptureQueriesContext(connection) as queries:
            disable(some, actor=SYSTEM)
        return len(queries)

    assert count(keys[:2]) == count(keys[2:])


def test_only_disabling_needs_a_place_to_wait(three: list[Issued], no_place_free: None) -> None:
    keys = [issued.key for issued in three]

    with nothing_written(), pytest.raises(Busy):
        disable(keys, actor=SYSTEM)

    enable(keys, actor=SYSTEM)
    assert bulkheads.taken() == 2


@pytest.mark.usefixtures("committed")
def test_operations_on_the_same_keys_wait_for_each_other(three: list[Issued]) -> None:
    """In either order of the keys, and among deletions: none of them deadlocks."""
    keys = [issued.key for issued in three]
    calls = [
        partial(disable, keys, actor=SYSTEM),
        partial(disable, keys[::-1], actor=SYSTEM),
        partial(enable, keys, actor=SYSTEM),
        partial(services.revoke_api_keys, keys[::-1], actor=SYSTEM),
    ]

    outcomes = at_once(calls)

    errors = [found for found in outcomes if isinstance(found, Exception)]
    assert {getattr(error, "code", error) for error in errors} <= {ErrorCode.KEY_REVOKED}
    assert not ApiKey.objects.unrevoked().exists()

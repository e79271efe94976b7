"""What is trusted without asking the database, for how long, and what waits for its end."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apikeys import leases, services, verification
from apikeys.models import ApiKey
from apikeys.recent import Recent
from apikeys.services import Issued
from apikeys.verification import Refusal
from organizations import services as organization_services
from organizations import withdrawal, writes
from organizations.actors import Actor
from organizations.models import Organization
from organizations.writes import operation
from tests.factories import SYSTEM, ServiceAccountFactory

LEASE = 0.5
Make = Callable[..., Issued]


@pytest.fixture
def leasing(settings: Settings) -> Iterator[None]:
    settings.API_KEY_LEASE = LEASE
    leases.clear()
    yield
    leases.clear()


pytestmark = pytest.mark.usefixtures("leasing")


def test_a_lease_saves_the_query(
    issued: Issued, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        first = verification.verify(issued.secret)
    with django_assert_num_queries(0):
        second = verification.verify(issued.secret)

    assert second.found == first.found
    assert second.refusal is None


def test_a_lease_ends(issued: Issued, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    verification.verify(issued.secret)
    time.sleep(LEASE)

    with django_assert_num_queries(1):
        verification.verify(issued.secret)


def test_a_clock_that_is_set_back_stretches_no_lease(
    issued: Issued, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """AB55."""
    verification.verify(issued.secret)

    with time_machine.travel(timezone.now() - timedelta(days=1), tick=False):
        time.sleep(LEASE)
        with django_assert_num_queries(1):
            verification.verify(issued.secret)


def test_without_leases_every_call_asks(
    issued: Issued, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.API_KEY_LEASE = 0

    with django_assert_num_queries(2):
        verification.verify(issued.secret)
        verification.verify(issued.secret)


def test_refusals_are_not_kept(
    issued: Issued, as_admin: Actor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    services.set_api_key_enabled(issued.key, enabled=False, actor=as_admin)
    assert verification.verify(issued.secret).refusal is Refusal.DISABLED
    services.set_api_key_enabled(issued.key, enabled=True, actor=as_admin)

    assert verification.verify(issued.secret).refusal is None


def test_the_end_of_a_key_is_looked_at_on_every_hit(make_key: Make) -> None:
    end = timezone.now() + timedelta(days=1)
    issued = make_key(expires_at=end)
    verification.verify(issued.secret)

    with time_machine.travel(end, tick=False):
        # The clock of leases is another one; a jump of the wall clock does not end them.
        assert verification.verify(issued.secret).refusal is Refusal.EXPIRED


def test_nothing_secret_is_kept(issued: Issued) -> None:
    verification.verify(issued.secret)

    assert len(leases._kept) == 1
    kept = repr((leases._kept._young, leases._kept._old))
    assert issued.secret not in kept
    assert issued.secret[13:] not in kept


def test_the_number_of_leases_is_bounded() -> None:
    recent: Recent[int, int] = Recent(10)
    for number in range(1000):
        recent.keep(number, number)
        assert len(recent) <= 20

    assert [recent.get(number) for number in range(990, 1000)] == list(range(990, 1000))
    assert recent.get(1) is None
    recent.forget(999)
    assert recent.get(999) is None


# --- Whatever takes authority away waits ---


def _close(issued: Issued, actor: Actor) -> None:
    organization_services.set_api_access(issued.key.organization, enabled=False, actor=SYSTEM)


def _disable_account(issued: Issued, actor: Actor) -> None:
    account = issued.key.service_account
    assert account
    organization_services.set_service_account_enabled(account, enabled=False, actor=actor)


def _lower_tier(issued: Issued, actor: Actor) -> None:
    organization = issued.key.organization
    organization_services.set_rate_limit_tier(organization, tier="high", actor=SYSTEM)


def _changing(**changes: Any) -> Callable[[Issued, Actor], object]:
    return lambda issued, actor: services.update_api_key(issued.key, actor=actor, changes=changes)


def _rotating(**options: Any) -> Callable[[Issued, Actor], object]:
    return lambda issued, actor: services.rotate_api_key(issued.key, actor=actor, **options)


SOON = timedelta(days=1)
TAKING: dict[str, Callable[[Issued, Actor], object]] = {
    "revoke": lambda issued, actor: services.revoke_api_key(issued.key, actor=actor),
    "disable": _changing(enabled=False),
    "fewer scopes": _changing(scopes=["search:read"]),
    "access off": _close,
    "service account off": _disable_account,
    "rotation without grace": _rotating(grace_period=timedelta(0)),
    "tier": _lower_tier,
}
OTHER: dict[str, Callable[[Issued, Actor], object]] = {
    "rename": _changing(name="Renamed"),
    "more scopes": _changing(scopes=["search:read", "trademarks:read", "events:read"]),
    "rotation with grace": _rotating(grace_period=SOON),
    "nothing": _changing(enabled=True),
}


@pytest.fixture
def target(committed: None, make_key: Make, acme: Organization) -> Issued:
    account = ServiceAccountFactory.create(organization=acme)
    issued = make_key(
        name="Target", scopes=["search:read", "trademarks:read"], service_account=account
    )
    with writes.allowed():
        ApiKey.objects.update(updated_at=timezone.now() - timedelta(minutes=2))
    return issued


@pytest.mark.parametrize("act", TAKING.values(), ids=TAKING)
def test_what_takes_authority_away_answers_a_lease_after_its_commit(
    act: Callable[[Issued, Actor], object], target: Issued, as_admin: Actor
) -> None:
    verification.verify(target.secret)
    began = time.monotonic()

    act(target, as_admin)

    assert time.monotonic() - began >= LEASE
    after = verification.verify(target.secret)
    assert after.refusal or after.found
    if act is TAKING["fewer scopes"]:
        assert after.found
        assert after.found.scopes == ["search:read"]
    elif act is not _lower_tier:
        assert after.refusal


@pytest.mark.parametrize("act", OTHER.values(), ids=OTHER)
def test_whatever_takes_none_away_leaves_nothing_to_wait_for(
    act: Callable[[Issued, Actor], object],
    target: Issued,
    as_admin: Actor,
    settings: Settings,
) -> None:
    settings.API_KEY_LEASE = 10
    began = time.monotonic()

    act(target, as_admin)

    assert time.monotonic() - began < 10


#: A rotation that is sent again is refused, or ends one secret more.
REPEATABLE = {name: act for name, act in TAKING.items() if not name.startswith("rotation")}


@pytest.mark.parametrize("act", REPEATABLE.values(), ids=REPEATABLE)
def test_an_answer_does_not_overtake_the_one_that_waits(
    act: Callable[[Issued, Actor], object], target: Issued, as_admin: Actor, settings: Settings
) -> None:
    """The first call may have died after its commit, and its caller sends it again."""
    settings.API_KEY_LEASE = 0
    act(target, as_admin)
    settings.API_KEY_LEASE = LEASE
    began = time.monotonic()

    act(target, as_admin)

    assert time.monotonic() - began >= LEASE


def test_what_was_taken_away_long_ago_is_not_waited_for(
    target: Issued, as_admin: Actor, settings: Settings
) -> None:
    settings.API_KEY_LEASE = 0
    with time_machine.travel(timezone.now() - timedelta(minutes=2)):
        services.revoke_api_key(target.key, actor=as_admin)
    settings.API_KEY_LEASE = 10
    began = time.monotonic()

    services.revoke_api_key(target.key, actor=as_admin)

    assert time.monotonic() - began < 10


def test_an_earlier_end_waits_as_well(target: Issued, as_admin: Actor) -> None:
    began = time.monotonic()

    services.update_api_key(
        target.key, actor=as_admin, changes={"expires_at": timezone.now() + SOON}
    )

    assert time.monotonic() - began >= LEASE


def test_several_operations_can_wait_once(
    committed: None, make_key: Make, as_admin: Actor, settings: Settings
) -> None:
    keys = [make_key() for _ in range(8)]
    settings.API_KEY_LEASE = 1
    began = time.monotonic()

    with withdrawal.together():
        for issued in keys:
            services.revoke_api_key(issued.key, actor=as_admin)
        not_yet = time.monotonic() - began

    assert not_yet < 8
    assert time.monotonic() - began >= 1
    assert {verification.verify(issued.secret).refusal for issued in keys} == {Refusal.REVOKED}


def test_a_failed_operation_leaves_no_wait_to_the_next(committed: None, settings: Settings) -> None:
    settings.API_KEY_LEASE = 10

    @operation()
    def fail() -> None:
        withdrawal.withdraw()
        raise LookupError

    @operation()
    def succeed() -> None:
        pass

    with pytest.raises(LookupError):
        fail()
    began = time.monotonic()
    succeed()

    assert time.monotonic() - began < 10


def test_a_slow_worker_cannot_stretch_a_lease(target: Issued, as_admin: Actor) -> None:
    """A worker that has read the key just before it is revoked, and dawdles over what it read.

    Its lease counts from before its query: when the revocation answers, the lease has ended, too.
    """
    has_read, may_go_on = threading.Event(), threading.Event()
    outcomes: list[Refusal | None] = []

    def dawdle(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        has_read.set()
        may_go_on.wait(10)
        return result

    def work() -> None:
        try:
            with connection.execute_wrapper(dawdle):
                outcomes.append(verification.verify(target.secret).refusal)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    assert has_read.wait(10)
    # What the worker has read goes into its cache long after the commit, but before the answer.
    threading.Timer(LEASE / 2, may_go_on.set).start()
    services.revoke_api_key(target.key, actor=as_admin)
    worker.join()

    assert outcomes == [None]  # the call was under way already
    assert len(leases._kept) == 1
    assert verification.verify(target.secret).refusal is Refusal.REVOKED

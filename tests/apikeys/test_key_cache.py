"""The cache of verified keys: what it trusts, and what invalidates it."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import connection, connections, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.verification import key_cache, verify
from apikeys.verification.key_cache import VerifiedSecrets
from apikeys.verification.types import Refusal, VerifiedKey
from core.actors import Actor
from core.revocation_clock import store
from organizations import services as organization_services
from organizations.models import Change, Clock, Follower, Organization
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.following import LEASE, eventually, follow, is_trusted, silent

Make = Callable[..., Issued]
Act = Callable[[Issued, Actor], object]


@pytest.fixture
def following(committed: None, settings: Settings) -> Iterator[None]:
    settings.API_KEY_LEASE = LEASE
    follow()
    yield
    key_cache.stop()


@pytest.fixture
def target(following: None, make_key: Make, acme: Organization) -> Issued:
    """A key that is cached, with something to take away in every respect."""
    account = ServiceAccountFactory.create(organization=acme)
    issued = make_key(
        name="Target", scopes=["search:read", "trademarks:read"], service_account=account
    )
    assert verify.verify(issued.secret).refusal is None
    return issued


def _is_kept(issued: Issued) -> bool:
    digest = verify.verify(issued.secret).digest
    return key_cache.held(digest) is not None


def test_a_verified_key_costs_no_query_however_rarely_it_is_used(
    target: Issued, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    time.sleep(4 * LEASE)

    with django_assert_num_queries(0):
        outcome = verify.verify(target.secret)

    assert outcome.refusal is None


def test_a_first_verification_takes_one_query(
    following: None, make_key: Make, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issued = make_key()

    with django_assert_num_queries(1):
        first = verify.verify(issued.secret)
    with django_assert_num_queries(0):
        second = verify.verify(issued.secret)

    assert second.found == first.found


def test_without_a_lease_every_request_asks(
    committed: None, make_key: Make, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    issued = make_key()

    with django_assert_num_queries(2):
        verify.verify(issued.secret)
        verify.verify(issued.secret)

    assert not Follower.objects.exists()


def test_a_wall_clock_that_jumps_changes_nothing(
    target: Issued, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """AB55."""
    for jump in (timedelta(days=-1), timedelta(days=1)):
        with (
            time_machine.travel(timezone.now() + jump, tick=False),
            django_assert_num_queries(0),
        ):
            assert verify.verify(target.secret).refusal is None


def test_an_expiry_is_compared_on_every_hit(following: None, make_key: Make) -> None:
    end = timezone.now() + timedelta(days=1)
    issued = make_key(expires_at=end)
    verify.verify(issued.secret)

    with time_machine.travel(end, tick=False):
        assert verify.verify(issued.secret).refusal is Refusal.EXPIRED


def test_refusals_are_not_kept(target: Issued, as_admin: Actor) -> None:
    services.set_api_key_enabled(target.key, enabled=False, actor=as_admin)
    assert verify.verify(target.secret).refusal is Refusal.DISABLED

    services.set_api_key_enabled(target.key, enabled=True, actor=as_admin)

    assert verify.verify(target.secret).refusal is None


def test_no_secret_is_kept(target: Issued) -> None:
    kept = repr([vars(key_cache.cache)["_young"].entries, vars(key_cache.cache)["_old"].entries])

    assert target.key.name in kept
    assert target.secret not in kept
    assert target.secret[13:] not in kept


def _found(number: int) -> VerifiedKey:
    """An answer of which only the key's number matters."""
    fields: dict[str, Any] = dict.fromkeys(VerifiedKey._fields)
    return VerifiedKey(**{**fields, "key_id": UUID(int=number)})


def test_the_cache_is_bounded_and_forgets_the_oldest() -> None:
    cache = VerifiedSecrets(10)
    for number in range(1000):
        cache.put(number.to_bytes(32, "big"), _found(number))
        assert len(cache) <= 20

    newest = [cache.get(number.to_bytes(32, "big")) for number in range(990, 1000)]
    assert newest == [_found(number) for number in range(990, 1000)]
    assert cache.get((1).to_bytes(32, "big")) is None


# --- Every change of what a verification says ---


def _changing(**changes: Any) -> Act:
    return lambda issued, actor: services.update_api_key(issued.key, actor=actor, changes=changes)


def _rotating(**options: Any) -> Act:
    return lambda issued, actor: services.rotate_api_key(issued.key, actor=actor, **options)


def _account_of(issued: Issued) -> Any:
    assert issued.key.service_account
    return issued.key.service_account


def _by_hand(statement: str) -> Act:
    def act(issued: Issued, actor: Actor) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return act


CHANGES: dict[str, Act] = {
    "revoke": lambda issued, actor: services.revoke_api_key(issued.key, actor=actor),
    "disable": _changing(enabled=False),
    "fewer scopes": _changing(scopes=["search:read"]),
    "more scopes": _changing(scopes=["search:read", "trademarks:read", "events:read"]),
    "rename": _changing(name="Renamed"),
    "expiry": _changing(expires_at=timezone.now() + timedelta(days=300)),
    "access off": lambda issued, actor: organization_services.set_api_access(
        issued.key.organization, enabled=False, actor=SYSTEM
    ),
    "service account off": lambda issued, actor: organization_services.set_service_account_enabled(
        _account_of(issued), enabled=False, actor=actor
    ),
    "rotation without overlap": _rotating(grace_period=timedelta(0)),
    "rotation with overlap": _rotating(grace_period=timedelta(days=1)),
    "tier of the organization": lambda issued, actor: organization_services.set_rate_limit_tier(
        issued.key.organization, tier="high", actor=SYSTEM
    ),
    "tier of the key": lambda issued, actor: services.set_key_rate_limit_tier(
        issued.key, tier="high", actor=SYSTEM
    ),
    "by hand, in SQL": _by_hand(
        "UPDATE apikeys_apikey SET revoked_at = CURRENT_TIMESTAMP WHERE name = 'Target'"
    ),
    "secret by hand": _by_hand("UPDATE apikeys_apikeysecret SET ends_at = CURRENT_TIMESTAMP"),
}


@pytest.mark.parametrize("act", CHANGES.values(), ids=CHANGES)
def test_a_change_is_in_force_when_it_has_been_made(
    act: Act, target: Issued, as_admin: Actor, request: pytest.FixtureRequest
) -> None:
    before = verify.verify(target.secret)

    act(target, as_admin)
    if "by hand" in request.node.callspec.id:  # no service waits for the follower's next poll
        eventually(lambda: key_cache.held(before.digest) is None)
    else:
        key_cache.follower.catch_up()  # what widens authority does not wait for it

    after = verify.verify(target.secret)
    assert (after.found, after.refusal) != (before.found, before.refusal)
    key_cache.cache.clear()
    fresh = verify.verify(target.secret)
    assert (after.found, after.refusal) == (fresh.found, fresh.refusal)


UNRELATED: dict[str, Act] = {
    "description": _changing(description="Other words"),
    "metadata": _changing(metadata={"a": "b"}),
    "name of the organization": lambda issued, actor: organization_services.rename_organization(
        issued.key.organization, name="Acme Two", actor=actor
    ),
    "last use": _by_hand("UPDATE apikeys_apikey SET last_used_at = CURRENT_TIMESTAMP"),
}


@pytest.mark.parametrize("act", UNRELATED.values(), ids=UNRELATED)
def test_what_no_verification_reads_is_not_counted(
    act: Act, target: Issued, as_admin: Actor
) -> None:
    before = Clock.objects.get().number

    act(target, as_admin)

    assert Clock.objects.get().number == before
    assert _is_kept(target)


def test_a_change_of_one_key_leaves_the_others_cached(
    target: Issued, make_key: Make, as_admin: Actor
) -> None:
    other = make_key(name="Other")
    assert _is_kept(other)

    services.revoke_api_key(target.key, actor=as_admin)

    assert _is_kept(other)


def test_a_slow_process_caches_no_answer_from_before_a_revocation(
    target: Issued, as_admin: Actor
) -> None:
    """It has read the key just before it is revoked, and keeps what it read long after."""
    key_cache.cache.clear()
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
                outcomes.append(verify.verify(target.secret).refusal)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    assert has_read.wait(10)
    services.revoke_api_key(target.key, actor=as_admin)
    may_go_on.set()
    worker.join()

    assert outcomes == [None]  # the request was under way already
    assert verify.verify(target.secret).refusal is Refusal.REVOKED


def test_nothing_is_kept_of_a_transaction_that_may_be_rolled_back(
    following: None, make_key: Make, as_admin: Actor
) -> None:
    issued = make_key()
    services.set_api_key_enabled(issued.key, enabled=False, actor=as_admin)

    with transaction.atomic():
        services.set_api_key_enabled(issued.key, enabled=True, actor=as_admin)
        assert verify.verify(issued.secret).refusal is None
        transaction.set_rollback(True)

    assert verify.verify(issued.secret).refusal is Refusal.DISABLED


# --- What ends the trust of a process ---


def _lose(target: Issued, act: Callable[[], object]) -> None:
    """Acts, and expects that what was cached before is never trusted again without a look."""
    row = Follower.objects.get()
    act()
    eventually(lambda: Follower.objects.exclude(pk=row.pk).exists())
    eventually(is_trusted)


def test_a_process_whose_row_is_gone_starts_over(target: Issued) -> None:
    digest = verify.verify(target.secret).digest

    _lose(target, lambda: Follower.objects.all().delete())

    assert key_cache.held(digest) is None


def test_a_clock_that_goes_back_makes_processes_start_over(target: Issued) -> None:
    digest = verify.verify(target.secret).digest
    with connection.cursor() as cursor:
        cursor.execute("UPDATE organizations_clock SET number = 40")
    eventually(is_trusted)

    _lose(target, lambda: Clock.objects.update(number=7))

    assert key_cache.held(digest) is None


def test_a_process_that_missed_changes_starts_over(target: Issued) -> None:
    digest = verify.verify(target.secret).digest

    _lose(target, lambda: Clock.objects.update(number=1_000_000))

    assert key_cache.held(digest) is None


def test_a_process_without_a_clock_trusts_nothing_and_says_so(target: Issued, lines: Any) -> None:
    Clock.objects.all().delete()
    eventually(lambda: not is_trusted())

    eventually(lambda: "clock_not_followed" in {line["event"] for line in lines()})
    assert verify.verify(target.secret).refusal is None
    assert not _is_kept(target)

    Clock.objects.create(id=1)
    eventually(is_trusted)
    eventually(lambda: "clock_followed_again" in {line["event"] for line in lines()})


def test_a_process_that_stops_takes_its_row_away(following: None) -> None:
    assert Follower.objects.count() == 1

    key_cache.stop()

    assert not Follower.objects.exists()
    assert not is_trusted()


def test_a_stopped_beat_is_removed_by_the_others(following: None) -> None:
    dead = silent(lease=0.05)

    key_cache.follower._look_at = 0
    eventually(lambda: not Follower.objects.filter(pk=dead.pk).exists())

    assert Follower.objects.count() == 1


def test_changes_of_more_than_an_hour_ago_are_pruned(committed: None) -> None:
    hours = timedelta(hours=1)
    for number, age in enumerate((3 * hours, 2 * hours, hours / 2), start=1):
        Change.objects.create(
            number=number,
            kind="key",
            target_id=ApiKey().pk,
            at=timezone.now() - age,
        )

    store.prune()

    assert list(Change.objects.values_list("number", flat=True)) == [3]

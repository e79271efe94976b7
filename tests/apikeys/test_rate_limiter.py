"""The rate limiter, with and without Redis."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
import structlog
from django.conf import settings as project_settings

from apikeys.ratelimits import limiter as limits
from apikeys.ratelimits import windows
from apikeys.ratelimits.budgets import Limit
from apikeys.ratelimits.limiter import Limiter
from apikeys.ratelimits.redis_budget import Grant, SharedQuota, WindowRequest
from core import ids
from organizations import tiers as rate_tiers

on_redis = pytest.mark.skipif(not project_settings.REDIS_URL, reason="needs REDIS_URL")
CALLS = 200
LIMIT = 50


def hit(
    limiter: Limiter,
    key: UUID,
    tier: str = "standard",
    *,
    owner: UUID | None = None,
    owner_tier: str = "standard",
) -> Limit:
    """One request of a key, whose organization has no other key unless the test names one."""
    return limiter.hit(key, tier, owner or UUID(int=key.int ^ 1), owner_tier)


@pytest.fixture(autouse=True)
def tiers(settings: Any) -> Iterator[None]:
    """Small limits; what was read of the settings is forgotten before and after."""
    settings.RATE_LIMIT_TIERS = {"standard": f"{LIMIT}/minute", "high": "60/minute"}
    limits.forget_limiter()
    yield
    limits.forget_limiter()


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def away(closed_port: int) -> SharedQuota:
    """A store that refuses every connection."""
    return SharedQuota(f"redis://127.0.0.1:{closed_port}/0")


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads that change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def _allowed_of_many(limiter: Limiter, tier: str = "standard") -> int:
    """How many of 200 calls of one key by 8 threads at once are let through."""
    key, start = ids.new_id(), threading.Barrier(8)

    def call(_: int) -> int:
        start.wait()
        return sum(hit(limiter, key, tier).allowed for _ in range(CALLS // 8))

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(call, range(8)))


def _reachable() -> SharedQuota:
    return SharedQuota(project_settings.REDIS_URL, timeout=10)


@pytest.mark.usefixtures("eager_threads")
@pytest.mark.parametrize("attempt", range(5))
def test_eight_threads_get_exactly_the_limit_in_memory(attempt: int) -> None:
    assert _allowed_of_many(Limiter(None)) == LIMIT


@on_redis
def test_eight_threads_get_exactly_the_limit_on_redis() -> None:
    assert _allowed_of_many(Limiter(_reachable())) == LIMIT


@on_redis
def test_two_processes_share_one_budget_on_redis() -> None:
    key, one, other = ids.new_id(), Limiter(_reachable()), Limiter(_reachable())

    allowed = [hit(limiter, key, "high").allowed for _ in range(40) for limiter in (one, other)]

    assert sum(allowed) == 60


def test_each_key_has_a_budget_of_its_own() -> None:
    limiter, one, other = Limiter(None), ids.new_id(), ids.new_id()

    for _ in range(LIMIT):
        hit(limiter, one)

    assert not hit(limiter, one).allowed
    assert hit(limiter, other).allowed


class Clock:
    """A clock that stands until it is moved on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_refusal_says_when_to_come_back() -> None:
    clock = Clock()
    limiter, key = Limiter(None, clock=clock), ids.new_id()
    within = [hit(limiter, key) for _ in range(LIMIT)]
    clock.now += 20.5
    beyond = hit(limiter, key)
    clock.now += beyond.retry_after
    again = hit(limiter, key)

    assert all(limit.allowed and limit.retry_after == 0 for limit in within)
    assert [limit.remaining for limit in within] == list(reversed(range(LIMIT)))
    assert (*within[0].budgets.key[1:3], within[0].resets) == (LIMIT, 60, 60)
    assert (beyond.allowed, beyond.remaining, beyond.retry_after) == (False, 0, 40)
    assert again.allowed


def test_a_tier_has_its_own_limit() -> None:
    assert _allowed_of_many(Limiter(None), "high") == 60


@pytest.mark.parametrize("tier", ["", "gone", "STANDARD"])
def test_an_unknown_tier_falls_back_to_the_first(tier: str) -> None:
    assert _allowed_of_many(Limiter(None), tier) == LIMIT


def test_while_the_store_is_away_the_process_counts_alone(away: SharedQuota) -> None:
    assert _allowed_of_many(Limiter(away)) == LIMIT


def test_a_store_that_is_away_is_logged_once_and_not_asked_again_at_once(
    away: SharedQuota,
) -> None:
    limiter, key = Limiter(away), ids.new_id()

    with structlog.testing.capture_logs() as logs:
        for _ in range(10):
            hit(limiter, key)

    assert logs == [
        {"event": "rate_limit_store_away", "counting": "per process", "log_level": "error"}
    ]


def test_a_store_that_is_away_is_asked_again_later(
    away: SharedQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(limits, "_FIRST_PAUSE", 0.0)
    limiter, key = Limiter(away), ids.new_id()

    with structlog.testing.capture_logs() as logs:
        answers = [hit(limiter, key) for _ in range(3)]

    assert [answer.allowed for answer in answers] == [True] * 3
    assert len(logs) == 1, "an outage is told once"


@on_redis
def test_a_store_that_comes_back_counts_again(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(limits, "_FIRST_PAUSE", 0.0)
    store, key = _reachable(), ids.new_id()
    limiter, address = Limiter(store), store.storage.connection_pool.connection_kwargs
    open_port = address["port"]

    address["port"] = closed_port
    store.storage.connection_pool.reset()
    while_away = [hit(limiter, key).allowed for _ in range(LIMIT + 1)]
    address["port"] = open_port
    store.storage.connection_pool.reset()
    used = ids.new_id()
    node = UUID(int=used.int ^ 1)
    store.take([WindowRequest(f"{{{node}}}/{used}", rate_tiers.key_limit("standard"), 0)])
    after = hit(limiter, used)

    assert while_away == [True] * LIMIT + [False]
    assert after.remaining == LIMIT - 2, "another process has taken one"


def test_a_store_is_reachable_or_not(away: SharedQuota) -> None:
    assert Limiter(None).is_reachable()
    assert not Limiter(away).is_reachable()


def test_the_process_counts_alone_when_no_store_is_configured(settings: Any) -> None:
    settings.REDIS_URL = ""

    assert limits.limiter() is limits.limiter()
    assert _allowed_of_many(limits.limiter()) == LIMIT


def test_a_configured_store_that_is_away_fails_nothing(settings: Any, closed_port: int) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port}/0"

    assert not limits.limiter().is_reachable()
    assert _allowed_of_many(limits.limiter()) == LIMIT


# --- Parts of a budget ---


class Counting(SharedQuota):
    """The real store, which counts how often it is asked."""

    asked = 0

    def take(self, wanted: Sequence[WindowRequest]) -> list[Grant]:
        self.asked += 1
        return super().take(wanted)


@pytest.fixture
def wide(settings: Any) -> int:
    settings.RATE_LIMIT_TIERS = {"standard": "600/minute"}
    limits.forget_limiter()
    return 600


@on_redis
def test_far_from_its_limit_a_key_costs_hardly_a_round_trip(wide: int) -> None:
    store = Counting(project_settings.REDIS_URL, timeout=10)
    limiter, key = Limiter(store), ids.new_id()

    for _ in range(wide // 2):
        assert hit(limiter, key).allowed

    assert store.asked <= wide // 2 * 0.1


@on_redis
def test_a_used_up_window_costs_no_round_trip() -> None:
    store = Counting(project_settings.REDIS_URL, timeout=10)
    limiter, key = Limiter(store), ids.new_id()
    for _ in range(LIMIT):
        hit(limiter, key)
    before = store.asked

    assert not any(hit(limiter, key).allowed for _ in range(100))

    assert store.asked <= before + 1


@on_redis
def test_processes_that_take_turns_get_the_limit_and_no_more(wide: int) -> None:
    limiters, key = [Limiter(_reachable()) for _ in range(4)], ids.new_id()

    allowed = sum(hit(limiter, key).allowed for _ in range(200) for limiter in limiters)

    assert allowed == wide


@on_redis
def test_what_an_idle_process_holds_is_lost_to_nobody_near_the_limit() -> None:
    """Of the last 63 requests of a window none is held in advance."""
    idle, busy, key = Limiter(_reachable()), Limiter(_reachable()), ids.new_id()
    first = hit(idle, key).allowed

    allowed = sum(hit(busy, key).allowed for _ in range(LIMIT))

    assert first
    assert allowed == LIMIT - 1


@on_redis
def test_a_store_that_goes_in_mid_window_adds_hardly_anything(wide: int, closed_port: int) -> None:
    """Each has its part of what was left when it last asked; others may have used some since."""
    stores = [_reachable() for _ in range(4)]
    limiters, key = [Limiter(store, processes=4) for store in stores], ids.new_id()
    allowed = sum(hit(limiter, key).allowed for _ in range(50) for limiter in limiters)
    for store in stores:
        store.storage.connection_pool.connection_kwargs["port"] = closed_port
        store.storage.connection_pool.reset()

    allowed += sum(hit(limiter, key).allowed for _ in range(300) for limiter in limiters)

    assert wide * 0.8 < allowed < wide * 1.1


def test_without_its_store_each_process_has_its_share(away: SharedQuota) -> None:
    key = ids.new_id()

    each = [
        sum(hit(limiter, key).allowed for _ in range(LIMIT))
        for limiter in (Limiter(away, processes=4) for _ in range(4))
    ]

    assert each == [LIMIT // 4] * 4


def test_windows_that_have_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "_MOST_KEPT", 100)
    clock = Clock()
    limiter = Limiter(None, clock=clock)

    for _ in range(5000):
        hit(limiter, ids.new_id())
        clock.now += 1

    assert len(limiter._windows.granted) + len(limiter._windows.alone) <= 200


# --- The limit of an organization ---


@pytest.fixture
def shared_limit(settings: Any) -> int:
    """Its organization's limit is five times that of a key, which is twenty."""
    settings.RATE_LIMIT_TIERS = {"standard": "20/minute", "high": "1000/minute"}
    settings.ORGANIZATION_RATE_LIMIT_FACTOR = 5
    limits.forget_limiter()
    return 100


STORES = [
    pytest.param(lambda: None, id="memory"),
    pytest.param(_reachable, id="redis", marks=on_redis),
]


def _allowed(limiter: Limiter, keys: Sequence[UUID], owner: UUID, times: int) -> int:
    """How many of `times` calls of each key by 8 threads at once are let through."""
    calls, start = [key for key in keys for _ in range(times)], threading.Barrier(8)

    def call(number: int) -> int:
        start.wait()
        return sum(hit(limiter, key, owner=owner).allowed for key in calls[number::8])

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(call, range(8)))


def _ids(count: int) -> list[UUID]:
    return [ids.new_id() for _ in range(count)]


@pytest.mark.usefixtures("eager_threads")
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("attempt", range(5))
def test_many_keys_of_an_organization_get_exactly_its_limit(
    store: Callable[[], SharedQuota | None], shared_limit: int, attempt: int
) -> None:
    limiter, owner = Limiter(store()), ids.new_id()

    assert _allowed(limiter, _ids(40), owner, 20) == shared_limit
    assert hit(limiter, ids.new_id(), owner=ids.new_id()).allowed


@pytest.mark.usefixtures("eager_threads", "shared_limit")
@pytest.mark.parametrize("store", STORES)
def test_each_key_still_has_its_own_limit(store: Callable[[], SharedQuota | None]) -> None:
    """Three keys of twenty, whose refused requests are not counted against the organization."""
    limiter, owner, keys = Limiter(store()), ids.new_id(), _ids(3)

    assert _allowed(limiter, keys, owner, 60) == 60
    assert _allowed(limiter, _ids(3), owner, 60) == 40


@on_redis
def test_several_processes_share_the_limit_of_an_organization(shared_limit: int) -> None:
    limiters, owner, keys = [Limiter(_reachable()) for _ in range(4)], ids.new_id(), _ids(10)

    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda limiter: _allowed(limiter, keys, owner, 20), limiters)

    assert sum(found) == shared_limit


@on_redis
@pytest.mark.usefixtures("shared_limit")
def test_a_request_refused_by_one_limit_uses_up_nothing_of_the_other_in_the_store() -> None:
    one, other, owner, key = Limiter(_reachable()), Limiter(_reachable()), ids.new_id(), _ids(1)[0]
    _allowed(one, _ids(10), owner, 20)

    assert not any(hit(other, key, owner=owner).allowed for _ in range(5))

    limit = rate_tiers.key_limit("standard")
    assert _reachable().get(limit.key_for(f"{{{owner}}}/{key}")) == 0
    whole = rate_tiers.organization_limit("standard")
    assert whole
    assert _reachable().get(whole.key_for(f"{{{owner}}}")) == whole.amount


@pytest.mark.usefixtures("shared_limit")
@pytest.mark.parametrize("store", STORES)
def test_a_refusal_says_which_limit_was_reached(store: Callable[[], SharedQuota | None]) -> None:
    limiter, owner, keys = Limiter(store()), ids.new_id(), _ids(6)
    for key in keys[:5]:
        by_key = [hit(limiter, key, owner=owner) for _ in range(21)][-1]
        assert (by_key.allowed, by_key.remaining) == (False, 0)
    of_another = hit(limiter, keys[5], owner=owner)

    # The organization's window began first, so that the key's is the one that lasts longer.
    assert not by_key.by_organization
    assert (of_another.allowed, of_another.by_organization) == (False, True)
    assert (of_another.remaining, of_another.organization_remaining) == (20, 0)
    assert of_another.retry_after == of_another.organization_resets > 0


def test_the_window_of_a_key_and_that_of_its_organization_end_apart(settings: Any) -> None:
    settings.RATE_LIMIT_TIERS = {"standard": "2/minute", "slow": "2/hour"}
    settings.ORGANIZATION_RATE_LIMIT_FACTOR = 2
    limits.forget_limiter()
    clock, owner, keys = Clock(), ids.new_id(), _ids(3)
    limiter = Limiter(None, clock=clock)
    for key in keys[:2] * 2:
        assert hit(limiter, key, owner=owner, owner_tier="slow").allowed
    clock.now += 61
    beyond = hit(limiter, keys[0], owner=owner, owner_tier="slow")
    clock.now += beyond.retry_after
    again = hit(limiter, keys[0], owner=owner, owner_tier="slow")

    assert (beyond.allowed, beyond.by_organization) == (False, True)
    assert (beyond.remaining, beyond.resets) == (2, 60)
    assert beyond.retry_after == 3600 - 61
    assert again.allowed


@pytest.mark.parametrize("store", STORES)
def test_an_organization_without_a_limit(
    store: Callable[[], SharedQuota | None], settings: Any
) -> None:
    settings.ORGANIZATION_RATE_LIMIT_FACTOR = 0
    limits.forget_limiter()
    limiter, owner, keys = Limiter(store()), ids.new_id(), _ids(15)

    found = [hit(limiter, key, owner=owner) for key in keys for _ in range(LIMIT)]
    refused = hit(limiter, keys[0], owner=owner)

    assert all(limit.allowed for limit in found)
    assert (refused.allowed, refused.by_organization) == (False, False)
    assert found[0].budgets.policy == '"standard";q=50;w=60'
    assert found[0].header == '"standard";r=49;t=60'


def test_a_key_of_a_higher_tier_stays_within_the_limit_of_its_organization(
    shared_limit: int,
) -> None:
    limiter, owner, key = Limiter(None), ids.new_id(), ids.new_id()

    found = [hit(limiter, key, "high", owner=owner) for _ in range(shared_limit + 1)]

    assert [limit.allowed for limit in found] == [True] * shared_limit + [False]
    assert found[-1].by_organization
    policy = '"high";q=1000;w=60, "organization";q=100;w=60'
    assert found[0].budgets.policy == policy
    assert found[0].header == '"high";r=999;t=60, "organization";r=99;t=60'


@on_redis
def test_the_limit_of_an_organization_costs_hardly_a_round_trip_more(wide: int) -> None:
    """Twenty keys, each with a hundred requests; those of one key alone take six."""
    store, owner = Counting(project_settings.REDIS_URL, timeout=10), ids.new_id()
    limiter, keys = Limiter(store), _ids(20)

    for key in [key for _ in range(100) for key in keys]:
        assert hit(limiter, key, owner=owner).allowed

    assert store.asked <= 2_000 * 0.07


@on_redis
def test_a_process_holds_a_thirty_second_of_a_window_at_most(wide: int) -> None:
    store, owner = _reachable(), ids.new_id()
    limiter = Limiter(store)

    for key in _ids(100):
        limiter.hit(key, "standard", owner, "standard")
        held = limiter._windows.granted[owner.int, "standard"].held
        assert held <= wide * 10 / 32


@on_redis
def test_a_used_up_organization_costs_no_round_trip(shared_limit: int) -> None:
    store, owner = Counting(project_settings.REDIS_URL, timeout=10), ids.new_id()
    limiter = Limiter(store)
    _allowed(limiter, _ids(10), owner, 20)
    before = store.asked

    assert not any(hit(limiter, key, owner=owner).allowed for key in _ids(100))

    assert store.asked <= before + 1


def test_without_its_store_each_process_has_its_share_of_an_organization(
    away: SharedQuota, shared_limit: int
) -> None:
    owner, keys = ids.new_id(), _ids(40)

    each = [
        sum(hit(limiter, key, owner=owner).allowed for key in keys for _ in range(20))
        for limiter in (Limiter(away, processes=4) for _ in range(4))
    ]

    assert each == [shared_limit // 4] * 4


@on_redis
def test_a_store_that_goes_in_mid_window_leaves_an_organization_its_limit(
    shared_limit: int, closed_port: int
) -> None:
    stores, owner, keys = [_reachable() for _ in range(4)], ids.new_id(), _ids(40)
    limiters = [Limiter(store, processes=4) for store in stores]
    allowed = sum(hit(each, key, owner=owner).allowed for key in keys[:10] for each in limiters)
    for store in stores:
        store.storage.connection_pool.connection_kwargs["port"] = closed_port
        store.storage.connection_pool.reset()

    calls = [(each, key) for _ in range(5) for key in keys for each in limiters]
    allowed += sum(hit(each, key, owner=owner).allowed for each, key in calls)

    assert shared_limit * 0.8 < allowed < shared_limit * 1.1


@on_redis
@pytest.mark.usefixtures("eager_threads", "shared_limit")
def test_what_a_request_has_reserved_is_given_back_when_it_is_refused() -> None:
    """The organization's part is held here; the key is used up by another process."""
    one, other, owner, key = Limiter(_reachable()), Limiter(_reachable()), ids.new_id(), _ids(1)[0]
    assert hit(one, ids.new_id(), owner=owner).allowed
    for _ in range(20):
        hit(other, key, owner=owner)
    held = one._windows.granted[owner.int, "standard"].held

    assert not hit(one, key, owner=owner).allowed
    assert one._windows.granted[owner.int, "standard"].held == held == 2

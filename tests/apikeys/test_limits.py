import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog
from django.conf import settings as project_settings

from apikeys import limits
from apikeys.limits import Limiter
from apikeys.quota import Grant, SharedQuota
from organizations import ids

on_redis = pytest.mark.skipif(not project_settings.REDIS_URL, reason="needs REDIS_URL")
CALLS = 200
LIMIT = 50


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
        return sum(limiter.hit(key, tier).allowed for _ in range(CALLS // 8))

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(call, range(8)))


def _reachable() -> SharedQuota:
    return SharedQuota(project_settings.REDIS_URL)


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

    allowed = [limiter.hit(key, "high").allowed for _ in range(40) for limiter in (one, other)]

    assert sum(allowed) == 60


def test_each_key_has_a_budget_of_its_own() -> None:
    limiter, one, other = Limiter(None), ids.new_id(), ids.new_id()

    for _ in range(LIMIT):
        limiter.hit(one, "standard")

    assert not limiter.hit(one, "standard").allowed
    assert limiter.hit(other, "standard").allowed


class Clock:
    """A clock that stands until it is moved on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_refusal_says_when_to_come_back() -> None:
    clock = Clock()
    limiter, key = Limiter(None, clock=clock), ids.new_id()
    within = [limiter.hit(key, "standard") for _ in range(LIMIT)]
    clock.now += 20.5
    beyond = limiter.hit(key, "standard")
    clock.now += beyond.retry_after
    again = limiter.hit(key, "standard")

    assert all(limit.allowed and limit.retry_after == 0 for limit in within)
    assert [limit.remaining for limit in within] == list(reversed(range(LIMIT)))
    assert (within[0].tier.amount, within[0].tier.window, within[0].resets) == (LIMIT, 60, 60)
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
            limiter.hit(key, "standard")

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
        answers = [limiter.hit(key, "standard") for _ in range(3)]

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
    while_away = [limiter.hit(key, "standard").allowed for _ in range(LIMIT + 1)]
    address["port"] = open_port
    store.storage.connection_pool.reset()
    used = ids.new_id()
    store.take(str(used), limits._tier("standard").limit)
    after = limiter.hit(used, "standard")

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

    def take(self, name: str, item: Any) -> Grant:
        self.asked += 1
        return super().take(name, item)


@pytest.fixture
def wide(settings: Any) -> int:
    settings.RATE_LIMIT_TIERS = {"standard": "600/minute"}
    limits.forget_limiter()
    return 600


@on_redis
def test_far_from_its_limit_a_key_costs_hardly_a_round_trip(wide: int) -> None:
    store = Counting(project_settings.REDIS_URL)
    limiter, key = Limiter(store), ids.new_id()

    for _ in range(wide // 2):
        assert limiter.hit(key, "standard").allowed

    assert store.asked <= wide // 2 * 0.1


@on_redis
def test_a_used_up_window_costs_no_round_trip() -> None:
    store = Counting(project_settings.REDIS_URL)
    limiter, key = Limiter(store), ids.new_id()
    for _ in range(LIMIT):
        limiter.hit(key, "standard")
    before = store.asked

    assert not any(limiter.hit(key, "standard").allowed for _ in range(100))

    assert store.asked <= before + 1


@on_redis
def test_processes_that_take_turns_get_the_limit_and_no_more(wide: int) -> None:
    limiters, key = [Limiter(_reachable()) for _ in range(4)], ids.new_id()

    allowed = sum(limiter.hit(key, "standard").allowed for _ in range(200) for limiter in limiters)

    assert allowed == wide


@on_redis
def test_what_an_idle_process_holds_is_lost_to_nobody_near_the_limit() -> None:
    """Of the last 63 requests of a window none is held in advance."""
    idle, busy, key = Limiter(_reachable()), Limiter(_reachable()), ids.new_id()
    first = idle.hit(key, "standard").allowed

    allowed = sum(busy.hit(key, "standard").allowed for _ in range(LIMIT))

    assert first
    assert allowed == LIMIT - 1


@on_redis
def test_a_store_that_goes_in_mid_window_adds_hardly_anything(wide: int, closed_port: int) -> None:
    """Each has its part of what was left when it last asked; others may have used some since."""
    stores = [_reachable() for _ in range(4)]
    limiters, key = [Limiter(store, processes=4) for store in stores], ids.new_id()
    allowed = sum(limiter.hit(key, "standard").allowed for _ in range(50) for limiter in limiters)
    for store in stores:
        store.storage.connection_pool.connection_kwargs["port"] = closed_port
        store.storage.connection_pool.reset()

    allowed += sum(limiter.hit(key, "standard").allowed for _ in range(300) for limiter in limiters)

    assert wide * 0.8 < allowed < wide * 1.1


def test_without_its_store_each_process_has_its_share(away: SharedQuota) -> None:
    key = ids.new_id()

    each = [
        sum(limiter.hit(key, "standard").allowed for _ in range(LIMIT))
        for limiter in (Limiter(away, processes=4) for _ in range(4))
    ]

    assert each == [LIMIT // 4] * 4


def test_windows_that_have_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MANY", 100)
    clock = Clock()
    limiter = Limiter(None, clock=clock)

    for _ in range(5000):
        limiter.hit(ids.new_id(), "standard")
        clock.now += 1

    assert len(limiter._granted) + len(limiter._alone) <= 200

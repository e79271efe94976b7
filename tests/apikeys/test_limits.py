import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog
import time_machine
from django.conf import settings as project_settings
from limits.storage import MemoryStorage, RedisStorage

from apikeys import limits
from apikeys.limits import Limit, Limiter
from organizations import ids

on_redis = pytest.mark.skipif(not project_settings.REDIS_URL, reason="needs REDIS_URL")
CALLS = 200
LIMIT = 50


@pytest.fixture(autouse=True)
def tiers(settings: Any) -> Iterator[None]:
    """Small limits; what was read of the settings is forgotten before and after."""
    settings.RATE_LIMIT_TIERS = {"standard": f"{LIMIT}/minute", "high": "60/minute"}
    limits._item.cache_clear()
    limits._make_limiter.cache_clear()
    yield
    limits._item.cache_clear()
    limits._make_limiter.cache_clear()


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def away(closed_port: int) -> RedisStorage:
    """A store that refuses every connection."""
    return RedisStorage(f"redis://127.0.0.1:{closed_port}/0", wrap_exceptions=True)


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


def _reachable() -> RedisStorage:
    return RedisStorage(project_settings.REDIS_URL, wrap_exceptions=True)


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


def test_a_refusal_says_when_to_come_back() -> None:
    limiter, key = Limiter(None), ids.new_id()
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False) as clock:
        within = [limiter.hit(key, "standard") for _ in range(LIMIT)]
        clock.shift(20)
        beyond = limiter.hit(key, "standard")
        clock.shift(beyond.retry_after)
        again = limiter.hit(key, "standard")

    assert set(within) == {Limit(allowed=True)}
    assert not beyond.allowed
    assert 40 <= beyond.retry_after <= 41
    assert again.allowed


def test_a_tier_has_its_own_limit() -> None:
    assert _allowed_of_many(Limiter(None), "high") == 60


@pytest.mark.parametrize("tier", ["", "gone", "STANDARD"])
def test_an_unknown_tier_falls_back_to_the_first(tier: str) -> None:
    assert _allowed_of_many(Limiter(None), tier) == LIMIT


def test_while_the_store_is_away_the_process_counts_alone(away: RedisStorage) -> None:
    assert _allowed_of_many(Limiter(away)) == LIMIT


def test_a_store_that_is_away_is_logged_once_and_not_asked_again_at_once(
    away: RedisStorage,
) -> None:
    limiter, key = Limiter(away), ids.new_id()

    with structlog.testing.capture_logs() as logs:
        for _ in range(10):
            limiter.hit(key, "standard")

    assert logs == [
        {"event": "rate_limit_store_away", "counting": "per process", "log_level": "error"}
    ]


def test_a_store_that_is_away_is_asked_again_later(
    away: RedisStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RETRY_SECONDS", 0.0)
    limiter, key = Limiter(away), ids.new_id()

    with structlog.testing.capture_logs() as logs:
        answers = [limiter.hit(key, "standard") for _ in range(3)]

    assert answers == [Limit(allowed=True)] * 3
    assert len(logs) == 3


@on_redis
def test_a_store_that_comes_back_counts_again(
    closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RETRY_SECONDS", 0.0)
    store, key = _reachable(), ids.new_id()
    limiter, address = Limiter(store), store.storage.connection_pool.connection_kwargs
    open_port = address["port"]

    address["port"] = closed_port
    store.storage.connection_pool.reset()
    while_away = [limiter.hit(key, "standard").allowed for _ in range(LIMIT + 1)]
    address["port"] = open_port
    store.storage.connection_pool.reset()
    after = limiter.hit(key, "standard").allowed

    assert while_away == [True] * LIMIT + [False]
    assert after


def test_a_store_is_reachable_or_not(away: RedisStorage) -> None:
    assert Limiter(None).is_reachable()
    assert Limiter(MemoryStorage()).is_reachable()
    assert not Limiter(away).is_reachable()


def test_the_process_counts_alone_when_no_store_is_configured(settings: Any) -> None:
    settings.REDIS_URL = ""

    assert limits.limiter() is limits.limiter()
    assert _allowed_of_many(limits.limiter()) == LIMIT


def test_a_configured_store_that_is_away_fails_nothing(settings: Any, closed_port: int) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{closed_port}/0"

    assert not limits.limiter().is_reachable()
    assert _allowed_of_many(limits.limiter()) == LIMIT

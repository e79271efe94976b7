"""Sign-in attempts are counted in Redis, and in the process while Redis is unreachable."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings as configured

from config.caches import EnduringCache
from tests.reliability.live.conftest import free_port
from tests.support.logs import Lines


@pytest.fixture(autouse=True)
def _store_is_there() -> Iterator[None]:
    yield
    EnduringCache._away_until = None


@pytest.fixture
def away() -> EnduringCache:
    """A cache whose store nobody has started."""
    return EnduringCache(f"redis://127.0.0.1:{free_port()}/0", {})


def test_it_keeps_on_in_the_process_without_the_store(away: EnduringCache) -> None:
    name = str(uuid4())

    assert away.add(name, [1.5]) is True
    assert away.add(name, [2.5]) is False
    assert away.get(name) == [1.5]
    away.set(name, [3.5], 60)
    assert away.touch(name, 60) is True
    assert away.get(name) == [3.5]
    assert away.delete(name) is True
    assert away.get(name, "nothing") == "nothing"
    away.set(name, 1)
    away.clear()
    assert away.get(name) is None


def test_an_outage_is_logged_once(away: EnduringCache, lines: Lines) -> None:
    for _ in range(3):
        away.get("anything")

    assert [line["event"] for line in lines() if line["level"] == "error"] == ["cache_store_away"]


def test_a_store_that_failed_is_asked_again_after_a_pause(away: EnduringCache) -> None:
    away.get("anything")
    assert EnduringCache._away_until is not None

    EnduringCache._away_until = 0.0
    away.get("anything")

    assert EnduringCache._away_until > 0.0


@pytest.mark.skipif(not configured.REDIS_URL, reason="no store to count in")
def test_two_processes_share_what_the_store_has() -> None:
    name = str(uuid4())
    first, second = (EnduringCache(configured.REDIS_URL, {}) for _ in range(2))

    EnduringCache._away_until = 0.0  # as after an outage
    assert first.add(name, [1.5], 60) is True

    assert EnduringCache._away_until is None
    assert second.add(name, [2.5], 60) is False
    assert second.get(name) == [1.5]
    assert second.delete(name) is True

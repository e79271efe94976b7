"""Thousands of schedules: the protocol holds in all of them, and each way to break it is detected.

`make clock-test` runs a hundred thousand. Repeat a failing seed with `World(seed).run()`.
"""

import os

import pytest

from tests.reliability.clock.rules import BROKEN, FIRST_SEEDS
from tests.reliability.clock.simulate import simulate
from tests.reliability.clock.weather import quiet
from tests.reliability.clock.world import Result, World

SCHEDULES = int(os.environ.get("SCHEDULES", "1000"))
#: Each broken protocol is noticed within so many schedules, most of them within ten.
_ENOUGH = 1000


@pytest.fixture(scope="module")
def protocol() -> Result:
    return simulate(range(SCHEDULES))


def test_no_request_sent_after_the_answer_is_accepted_on_what_was_withdrawn(
    protocol: Result,
) -> None:
    assert protocol.violations == []


def test_no_operation_waits_longer_than_a_lease_and_one_percent(protocol: Result) -> None:
    assert protocol.late == []


def test_what_can_happen_does_happen(protocol: Result) -> None:
    """A model that never caches, or in which nothing goes wrong, would prove nothing."""
    counts = protocol.counts

    assert counts["hits"] > counts["misses"] / 4
    assert counts["withdrawals answered"] > 2 * SCHEDULES
    assert counts["without waiting for a lease"] > counts["withdrawals answered"] / 3
    for what in ("freezes", "cuts of the network", "ends of processes", "migrations"):
        assert counts[what] > SCHEDULES / 10, what
    assert counts["restarts of the database"] > SCHEDULES / 10


def test_in_quiet_weather_no_operation_waits_for_a_lease() -> None:
    total = Result()
    for seed in range(20):
        total.add(World(seed, weather=quiet).run())

    answered = total.counts["withdrawals answered"]
    assert total.counts["without waiting for a lease"] > 0.9 * answered > 0


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_protocol_is_noticed(name: str) -> None:
    first = FIRST_SEEDS.get(name, 0)

    result = simulate(range(first, first + _ENOUGH), BROKEN[name], stop_when_broken=True)

    assert result.violations


def test_a_schedule_is_the_same_each_time() -> None:
    assert World(7).run() == World(7).run()

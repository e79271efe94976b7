"""A minimal run of the whole benchmark measures every contender. Speeds are not checked."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from benchmarks.contenders import CONTENDERS
from benchmarks.goals import OF_ROUNDS, OF_RUN
from benchmarks.report import markdown
from config.env import ROOT

SERVER = os.environ.get("BENCH_SERVER", "postgres://127.0.0.1:5432/postgres")
REDIS = os.environ.get("BENCH_REDIS", "redis://127.0.0.1:6379/15")
SMALLEST = (
    *("--rounds", "1", "--seconds", "0.2", "--keys", "1000", "--lists", "10,30"),
    *("--abuse", "1", "--memory", "2", "--server", SERVER, "--redis", REDIS),
)


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run has written."""
    file = tmp_path_factory.mktemp("results") / "results.json"
    command = [sys.executable, "-m", "benchmarks", *SMALLEST, "--databases", request.param]
    subprocess.run([*command, "--write", str(file)], cwd=ROOT, check=True, timeout=600)
    return json.loads(file.read_text())


def test_everybody_has_numbers(results: Any) -> None:
    (run,) = results["rounds"]

    assert list(run["figures"]) == [contender.name for contender in CONTENDERS]
    for figures in run["figures"].values():
        assert min(figures["rate"], figures["p50"], figures["p99"]) > 0
    # A server that got little of a busy machine in its fifth of a second may have used no tick.
    assert sum(figures["cpu"] > 0 for figures in run["figures"].values()) > len(CONTENDERS) / 2


def test_a_hot_key_costs_no_query_and_a_cold_one_costs_one(results: Any) -> None:
    (counts,) = results["counts"].values()

    assert {counts[name]["queries"] for name in ("drf-hot", "plain-hot")} == {0}
    assert {counts[name]["queries"] for name in ("drf-cold", "plain-cold")} == {1}
    assert {counts[name]["queries"] for name in ("drf-api-key", "knox")} == {1, 2}


def test_far_from_its_limit_a_key_asks_redis_once_in_ten_requests_at_most(results: Any) -> None:
    for database, counts in results["counts"].items():
        least = 0 if database == "sqlite" else 0.01
        assert least <= counts["drf-hot"]["redis"] <= 0.1


def test_lists_of_every_size_have_times(results: Any) -> None:
    (lists,) = results["lists"].values()

    assert set(lists) == {"settings page", "REST list", "keyset prototype"}
    for sizes in lists.values():
        assert list(sizes) == ["10", "30"]
        assert all(found["ms"] > 0 for found in sizes.values())


def test_the_longer_looks_have_numbers(results: Any) -> None:
    on_postgresql = "postgresql" in results["counts"]

    assert results["memory"]["samples"][-1][1] > 10
    assert results["abuse"]["attacked"]["p99_ms"] > 0
    assert results["abuse"]["bad_keys_a_second"] > 0
    assert ("scaling" in results) is on_postgresql
    if on_postgresql:
        assert results["rounds"][0]["facts"]["bytes_per_key"]["ours"] > 100


def test_the_tables_have_everybody_and_every_goal(results: Any) -> None:
    text = markdown(results)

    for title in [contender.title for contender in CONTENDERS]:
        assert f"| {title} |" in text
    for goal in (*OF_ROUNDS, *OF_RUN):
        assert f"| {goal.what} | {goal.text} |" in text
    assert str(ROOT) not in text + json.dumps(results)

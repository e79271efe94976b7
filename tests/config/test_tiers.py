"""`make test` and `make test-slow` together run every test exactly once."""

import os
import subprocess
import sys

import pytest

from config.env import ROOT
from tests.support.processes import manage
from tests.support.tiers import CASES, SLOW, TESTS, is_slow_place, spread, starts_processes

NAMES = [f"test_field[{number}]" for number in range(300)]
#: Tests without rows, tests with many cases that need them, and tests in a slow folder.
PARTS = ["tests/api/test_methods.py", "tests/core/test_ids.py", "tests/reliability/clock"]


def _collected(*selection: str) -> list[str]:
    """The tests that pytest selects, each by its name."""
    command = ["-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *selection]
    run = subprocess.run(
        [sys.executable, *command, *PARTS],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in run.stdout.splitlines() if line.startswith("tests/")]


def test_what_starts_a_process_is_told_apart(request: pytest.FixtureRequest) -> None:
    def starts_one() -> None:
        manage("check")

    parent = request.node.parent
    item = pytest.Function.from_parent(parent, name="starts_one", callobj=starts_one)

    assert starts_processes(item)
    assert not starts_processes(request.node)


@pytest.mark.slow
def test_both_tiers_together_are_every_test_once() -> None:
    fast, slow = _collected("-m", "not slow"), _collected("-m", "slow")

    assert fast
    assert slow
    assert sorted(fast + slow) == sorted(_collected())


@pytest.mark.parametrize("place", SLOW)
def test_each_slow_place_is_there(place: str) -> None:
    assert (TESTS / place).exists()
    assert is_slow_place(TESTS / place)
    assert is_slow_place(TESTS / place / "test_more.py")


@pytest.mark.parametrize("path", ["api/test_create.py", "security/matrix/test_matrix.py"])
def test_other_places_are_not_slow(path: str) -> None:
    assert not is_slow_place(TESTS / path)


def test_the_cases_that_stay_are_from_all_over() -> None:
    kept = spread(NAMES, 20)

    assert len(kept) == 20
    assert kept == spread(reversed(NAMES), 20)
    places = sorted(NAMES.index(name) for name in kept)
    assert places[-1] - places[0] > len(NAMES) * 0.8


def test_a_test_with_few_cases_keeps_them_all() -> None:
    assert spread(NAMES[:CASES], CASES) == set(NAMES[:CASES])


def test_the_makefile_and_ci_leave_nothing_out() -> None:
    recipes = (ROOT / "Makefile").read_text()
    ci = (ROOT / ".ci/run").read_text()

    assert ci.endswith("make check\nmake test COVERAGE=1\nmake test-rest\n")
    assert '-m "not slow"' in recipes
    assert "-m slow" in recipes

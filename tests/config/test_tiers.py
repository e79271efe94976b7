"""`make test` and `make test-slow` run every test between them, and none of them twice."""

import os
import subprocess
import sys

import pytest

from config.env import ROOT
from tests.support.tiers import CASES, SLOW, TESTS, is_in_slow_folder, spread

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


@pytest.mark.slow
def test_both_tiers_together_are_every_test_once() -> None:
    fast, slow = _collected("-m", "not slow"), _collected("-m", "slow")

    assert fast
    assert slow
    assert sorted(fast + slow) == sorted(_collected())


@pytest.mark.parametrize("folder", SLOW)
def test_each_slow_folder_is_there(folder: str) -> None:
    assert (TESTS / folder).is_dir()
    assert is_in_slow_folder(TESTS / folder / "test_x.py")


@pytest.mark.parametrize("path", ["api/test_create.py", "security/matrix/test_matrix.py"])
def test_other_folders_are_not_slow(path: str) -> None:
    assert not is_in_slow_folder(TESTS / path)


def test_the_cases_that_stay_are_from_all_over() -> None:
    kept = spread(NAMES, CASES)

    assert len(kept) == CASES
    assert kept == spread(reversed(NAMES), CASES)
    places = sorted(NAMES.index(name) for name in kept)
    assert places[-1] - places[0] > len(NAMES) / 2


def test_a_test_with_few_cases_keeps_them_all() -> None:
    assert spread(NAMES[:CASES], CASES) == set(NAMES[:CASES])


def test_the_makefile_and_ci_leave_nothing_out() -> None:
    recipes = (ROOT / "Makefile").read_text()
    ci = (ROOT / ".ci/run").read_text()

    assert ci.endswith("make check\nmake test COVERAGE=1\nmake test-rest\n")
    assert '-m "not slow"' in recipes
    assert "-m slow" in recipes

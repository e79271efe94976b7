"""Which slow tests `make test` leaves to `make test-all`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parents[1]
#: Real servers, processes and browsers, failures of machines, inputs of the largest size, every
#: link of every page.
SLOW: Final = (
    "benchmarks",
    "browser",
    "commands/test_backup.py",
    "commands/test_demo.py",
    "commands/test_demo_data.py",
    "commands/test_output.py",
    "config/test_canary.py",
    "config/test_image.py",
    "contract",
    "pages/test_links.py",
    "reliability",
    "security/hostile",
)
#: How many cases of one test the fast tier runs, where each of them needs the database.
CASES: Final = 3
#: The same where each case starts a process, which takes a second.
PROCESSES: Final = 2


def is_slow_place(path: Path) -> bool:
    """Whether everything in a test's file or folder is slow."""
    return any(path.is_relative_to(TESTS / place) for place in SLOW)


def starts_processes(item: pytest.Item) -> bool:
    """Whether a test itself calls `manage`, which runs a command of the project."""
    return isinstance(item, pytest.Function) and "manage" in item.function.__code__.co_names


def has_database(item: pytest.Item) -> bool:
    """Whether a test reads or writes rows."""
    used = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(used or item.get_closest_marker("django_db"))


def _shuffled(name: str) -> bytes:
    # Not Python's own hash, which is another in each process.
    return sha256(name.encode()).digest()


def spread(names: Iterable[str], count: int) -> set[str]:
    """The same `count` of the names in every run, from all over them."""
    return set(sorted(names, key=_shuffled)[:count])


def cases_kept(item: pytest.Item) -> int | None:
    """How many cases of its test the fast tier runs; None for all of them."""
    if starts_processes(item):
        return PROCESSES
    return CASES if has_database(item) else None


def slow_items(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Tests in slow places, and most cases of a test that runs for very many values."""
    cases: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        kept = cases_kept(item)
        if is_slow_place(item.path):
            yield item
        elif kept is not None:
            cases[item.nodeid.partition("[")[0], kept].append(item)
    for (_, kept), same in cases.items():
        fast = spread((item.nodeid for item in same), kept)
        yield from (item for item in same if item.nodeid not in fast)

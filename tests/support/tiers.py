"""Which tests `make test` leaves to `make test-all`, because they take long."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

import pytest

TESTS: Final = Path(__file__).parents[1]
#: Real servers, processes and browsers, failures of machines, inputs of the largest size.
SLOW: Final = (
    "benchmarks",
    "browser",
    "contract",
    "reliability",
    "security/hostile",
)
#: How many cases of one test the fast tier runs, where each of them needs the database.
CASES: Final = 8


def is_in_slow_folder(path: Path) -> bool:
    """Whether everything in a test's folder is slow."""
    return any(path.is_relative_to(TESTS / folder) for folder in SLOW)


def has_database(item: pytest.Item) -> bool:
    """Whether a test reads or writes rows."""
    used = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    return bool(used or item.get_closest_marker("django_db"))


def spread(names: Iterable[str], count: int) -> set[str]:
    """The same `count` of the names in every run, from all over them."""
    return set(sorted(names, key=lambda name: crc32(name.encode()))[:count])


def slow_items(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Tests in slow folders, and most cases of a test that runs for very many values."""
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if is_in_slow_folder(item.path):
            yield item
        elif has_database(item):
            cases[item.nodeid.partition("[")[0]].append(item)
    for same in cases.values():
        fast = spread((item.nodeid for item in same), CASES)
        yield from (item for item in same if item.nodeid not in fast)

"""Explores many schedules: `SCHEDULES=100000 python -m tests.reliability.clock`."""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Final

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from tests.reliability.clock.rules import BROKEN, PROTOCOL, Rules  # noqa: E402
from tests.reliability.clock.simulate import simulate  # noqa: E402
from tests.reliability.clock.world import Result  # noqa: E402

#: Schedules of one task.
_BATCH: Final = 250
#: Seconds between two lines about the progress.
_INTERVAL: Final = 10.0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _batches(schedules: int) -> Iterator[range]:
    for first in range(0, schedules, _BATCH):
        yield range(first, min(first + _BATCH, schedules))


def _explore(pool: ProcessPoolExecutor, schedules: int, rules: Rules, name: str) -> Result:
    """The sum of all schedules, in parallel processes, with lines about the progress."""
    total, said = Result(), time.monotonic()
    tasks = [pool.submit(simulate, seeds, rules) for seeds in _batches(schedules)]
    for task in as_completed(tasks):
        total.add(task.result())
        if time.monotonic() - said > _INTERVAL:
            said = time.monotonic()
            done = total.counts["schedules"]
            _say(f"{name}: {done:,} of {schedules:,}, {len(total.violations)} violations")
    return total


def _summary(name: str, result: Result) -> str:
    seeds = ", ".join(str(seed) for seed in sorted(result.violations)[:3])
    found = f"{len(result.violations):6,} violated" + (f" (seeds {seeds} …)" if seeds else "")
    return f"{name:42} {result.counts['schedules']:8,} schedules {found}"


def main() -> int:
    schedules = int(os.environ.get("SCHEDULES", "100000"))
    of_broken = min(schedules, int(os.environ.get("SCHEDULES_OF_BROKEN", "3000")))
    began = time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        protocol = _explore(pool, schedules, PROTOCOL, "protocol")
        broken = {name: _explore(pool, of_broken, rules, name) for name, rules in BROKEN.items()}
    for what, number in sorted(protocol.counts.items()):
        _say(f"{number:12,} {what}")
    _say(f"{len(protocol.late):12,} schedules in which an operation waited for too long")
    _say(_summary("the protocol", protocol))
    for name, result in broken.items():
        _say(_summary(name, result))
    _say(f"{time.monotonic() - began:.0f} s")
    missed = [name for name, result in broken.items() if not result.violations]
    return int(bool(protocol.violations or protocol.late or missed))


if __name__ == "__main__":
    sys.exit(main())

"""Longer tests of one worker: its memory with many keys, and valid requests among bad ones."""

import os
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

from benchmarks import identities
from benchmarks.databases import Database
from benchmarks.loader import Callers, Load, percentile, request
from benchmarks.rounds import LOADER_CORE, Plan, serving
from benchmarks.servers import pin_backends, pinned

_PATH: Final = "/api/bench/ours-drf"
#: Uses as much memory per key, and reaches a million keys sooner.
_QUICKEST: Final = "/api/bench/ours-plain"
_SLICE: Final = 5.0
#: Number of valid keys, bad keys per second, and number of processes that send them.
_HONEST, _BAD_RATE, _SOURCES = 100, 500, 4


def memory(database: Database, keys: int, plan: Plan, seconds: float) -> dict[str, Any]:
    """Megabytes of a worker that gets one key after another, sampled every five seconds."""
    numbers = count()
    samples = []

    def following() -> bytes:
        return request(_QUICKEST, f"Bearer {identities.our_secret(next(numbers) % keys)}")

    # Two threads, because each of these requests waits for the database.
    with pinned({LOADER_CORE}), serving(database, plan, threads=2) as server:
        callers, began = Callers(server.port, 4), time.monotonic()
        while time.monotonic() - began < seconds:
            callers.call(following, seconds=min(_SLICE, seconds))
            pin_backends(database, LOADER_CORE)
            samples.append([round(time.monotonic() - began), server.memory() >> 20])
        callers.close()
    return {
        "distinct_keys": min(next(numbers), keys),
        "requests": next(numbers) - 1,
        "samples": samples,
        "growth": growth([size for _, size in samples]),
    }


def growth(sizes: Sequence[int]) -> float | None:
    """Growth from the median of the second third to that of the last third. The first fills caches.

    Medians ignore memory that was freed for a moment and then allocated again, and single spikes.
    None if there are too few samples.
    """
    third = len(sizes) // 3
    if not third:
        return None
    median = statistics.median
    return round(median(sizes[-third:]) / median(sizes[third:-third]) - 1, 3)


def abuse(database: Database, keys: int, plan: Plan, seconds: float) -> dict[str, Any]:
    """Response times of valid requests, first alone, then while bad keys arrive."""
    chosen = random.Random("honest").sample(range(keys), min(keys, _HONEST))
    calls = [request(_PATH, f"Bearer {identities.our_secret(number)}") for number in chosen]
    with pinned({LOADER_CORE}), serving(database, plan) as server:
        quiet = _honest(server.port, calls, seconds)
        pin_backends(database, LOADER_CORE)
        quiet = _honest(server.port, calls, seconds)
        with _attack(server.port, seconds) as reached:
            busy = _honest(server.port, calls, seconds)
        bad = sum(reached)
    return {"quiet": _waits(quiet), "attacked": _waits(busy), "bad_keys_a_second": round(bad)}


def _honest(port: int, calls: list[bytes], seconds: float) -> Load:
    """Sends two hundred requests a second, one at a time, when they are due."""
    due, pick = _paced(200), random.Random(0)

    def following() -> bytes:
        next(due)
        return pick.choice(calls)

    caller = Callers(port, 1)
    try:
        return caller.call(following, seconds=seconds)
    finally:
        caller.close()


@contextmanager
def _attack(port: int, seconds: float) -> Iterator[list[float]]:
    """Sends bad keys at a steady rate around the block, and then appends the rates reached."""
    reached: list[float] = []
    with ProcessPoolExecutor(_SOURCES) as pool:
        sources = [pool.submit(_send_bad, port, n, seconds + 1) for n in range(_SOURCES)]
        time.sleep(0.5)
        yield reached
        reached += [source.result() for source in sources]


def _send_bad(port: int, source: int, seconds: float) -> float:
    """Sends bad keys from a separate process. Half are well-formed, and looked up only at first."""
    os.sched_setaffinity(0, {LOADER_CORE})
    due, numbers = _paced(_BAD_RATE / _SOURCES), count(source, _SOURCES)

    def following() -> bytes:
        next(due)
        number = next(numbers)
        secret = identities.unknown_secret(number)
        return request(_PATH, f"Bearer {secret if number // _SOURCES % 2 else secret[:-1]}")

    caller = Callers(port, 1, expected=(401, 429))
    try:
        load = caller.call(following, seconds=seconds)
    finally:
        caller.close()
    return load.requests / load.seconds


def _paced(rate: float) -> Iterator[None]:
    """Waits until each step is due. Late steps follow immediately."""
    began = time.monotonic()
    for number in count():
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        yield


def _waits(load: Load) -> dict[str, float]:
    return {
        "p50_ms": round(percentile(load.latencies, 0.5) * 1e3, 2),
        "p99_ms": round(percentile(load.latencies, 0.99) * 1e3, 2),
    }

"""Compares two workers on two cores with one worker on one core. Each core also runs a loader.

Each worker shares its core with a loader in both cases, so the ratio shows what workers share.
"""

import os
import random
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

from benchmarks.contenders import BY_NAME, Contender
from benchmarks.databases import Database
from benchmarks.loader import Callers
from benchmarks.rounds import (
    LOADER_CORE,
    SERVER_CORE,
    SETTLE_SECONDS,
    Plan,
    serving,
    warm_up,
)
from benchmarks.servers import Server, running

_CORES: Final = (SERVER_CORE, LOADER_CORE)
#: Connections per loader: enough that every worker gets some.
_CALLERS: Final = 16
#: Warm-up passes. A request reaches only one worker, and hot keys must be hot in both.
_PASSES: Final = 4
_COMPARED: Final = ("drf", "plain-hot", "drf-hot")


def measure(database: Database, keys: int, plan: Plan) -> dict[str, Any]:
    """Requests per second with one worker and with two, taking turns."""
    return {name: _compare(BY_NAME[name], database, keys, plan) for name in _COMPARED}


def _compare(contender: Contender, database: Database, keys: int, plan: Plan) -> dict[str, float]:
    environment = plan.variables(database, contender.environment)
    with (
        serving(database, plan, contender.environment) as one,
        running(database, environment, core=SERVER_CORE, workers=2) as two,
        ProcessPoolExecutor(2) as pool,
    ):
        two.pin_workers(_CORES)
        rates: dict[int, list[float]] = {1: [], 2: []}
        for number in range(plan.rounds):
            for workers, server in ((1, one), (2, two)):
                rate = _rate(pool, server, _CORES[:workers], contender, keys, plan.seconds, number)
                rates[workers].append(rate)
    single, double = statistics.median(rates[1]), statistics.median(rates[2])
    return {"one": round(single, 1), "two": round(double, 1), "ratio": round(double / single, 3)}


def _rate(
    pool: ProcessPoolExecutor,
    server: Server,
    cores: tuple[int, ...],
    contender: Contender,
    keys: int,
    seconds: float,
    number: int,
) -> float:
    loads = [
        pool.submit(_load, server.port, core, contender.name, keys, seconds, f"{number}")
        for core in cores
    ]
    return sum(load.result() for load in loads)


def _load(port: int, core: int, name: str, keys: int, seconds: float, seed: str) -> float:
    """Requests per second of one loader, in a separate process."""
    os.sched_setaffinity(0, {core})
    first, following = BY_NAME[name].requests(keys, random.Random(seed))
    callers = Callers(port, _CALLERS)
    try:
        for _ in range(_PASSES):
            warm_up(callers, first)
        if BY_NAME[name].writes:
            time.sleep(SETTLE_SECONDS)
        load = callers.call(following, seconds=seconds)
    finally:
        callers.close()
    return load.requests / load.seconds

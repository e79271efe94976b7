"""Interleaved rounds: contenders take turns, so that a slow minute affects all of them."""

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final

from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.databases import Database
from benchmarks.loader import Callers, Load, percentile
from benchmarks.servers import Server, pin_backends, pinned, running

#: CPU cores. The loader and PostgreSQL share one.
SERVER_CORE, LOADER_CORE = 0, 1
_CALLERS: Final = 4
#: Usage is written every two seconds. Nothing is measured meanwhile.
SETTLE_SECONDS: Final = 2.5
#: A loader with a higher CPU load than this may limit the rate.
_BUSIEST: Final = 0.9


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure: the number and the seconds of rounds, and the URL of Redis, if any."""

    rounds: int
    seconds: float
    redis_url: str = ""

    def variables(self, database: Database, *more: Mapping[str, str]) -> dict[str, str]:
        """Environment variables of a server. On SQLite, the only process needs no Redis."""
        shared = database.vendor == "postgresql" and self.redis_url
        found = {"REDIS_URL": self.redis_url} if shared else {}
        for variables in more:
            found |= variables
        return found


@dataclass(frozen=True, slots=True)
class Figures:
    """The results of a contender: medians over the rounds, and latencies over all of them."""

    rate: float
    cpu: float
    p50: float
    p99: float
    busy: float
    loader: float
    rates: list[float]
    cpus: list[float]


@dataclass(slots=True)
class _Round:
    load: Load
    cpu: float
    alone: Load


@contextmanager
def serving(
    database: Database,
    plan: Plan,
    more: Mapping[str, str] = MappingProxyType({}),
    threads: int = 1,
) -> Iterator[Server]:
    """Runs a server on its core with additional environment variables."""
    environment = plan.variables(database, more)
    with running(database, environment, core=SERVER_CORE, threads=threads) as server:
        yield server


def measure(
    database: Database, keys: int, plan: Plan, say: Callable[[str], None]
) -> dict[str, Any]:
    """The figures of each contender on a database with `keys` keys."""
    taken: dict[str, list[_Round]] = {contender.name: [] for contender in CONTENDERS}
    with ExitStack() as stack:
        stack.enter_context(pinned({LOADER_CORE}))
        servers = [stack.enter_context(serving(database, plan, c.environment)) for c in CONTENDERS]
        for number in range(plan.rounds):
            say(f"{database.vendor}, {keys:,} keys: round {number + 1} of {plan.rounds}")
            for contender, server in zip(CONTENDERS, servers, strict=True):
                draw = random.Random(f"{keys}-{number}")
                one = _round(contender, server, database, keys, plan, draw)
                taken[contender.name].append(one)
    return {name: asdict(_figures(rounds)) for name, rounds in taken.items()}


def _round(
    contender: Contender,
    server: Server,
    database: Database,
    keys: int,
    plan: Plan,
    draw: random.Random,
) -> _Round:
    first, following = contender.requests(keys, draw)
    callers, caller = Callers(server.port, _CALLERS), Callers(server.port, 1)
    try:
        warm_up(callers, first)
        if contender.writes:
            # Last uses must not be written while timing: normally that happens once a minute per
            # key.
            time.sleep(SETTLE_SECONDS)
        pin_backends(database, LOADER_CORE)
        before = server.cpu_seconds()
        load = callers.call(following, seconds=plan.seconds)
        cpu = server.cpu_seconds() - before
        alone = caller.call(following, seconds=plan.seconds / 3)
    finally:
        callers.close()
        caller.close()
    if contender.writes:
        time.sleep(SETTLE_SECONDS)
    return _Round(load, cpu, alone)


def warm_up(callers: Callers, first: Sequence[bytes]) -> None:
    """Sends each of the first requests once."""
    pending = iter(first)
    callers.call(lambda: next(pending), times=len(first))


def _figures(rounds: list[_Round]) -> Figures:
    rates = [one.load.requests / one.load.seconds for one in rounds]
    cpus = [one.cpu / one.load.requests * 1e6 for one in rounds]
    alone = [latency for one in rounds for latency in one.alone.latencies]
    loader = max(one.load.loader_seconds / one.load.seconds for one in rounds)
    return Figures(
        rate=round(statistics.median(rates), 1),
        cpu=round(statistics.median(cpus), 1),
        p50=round(percentile(alone, 0.5) * 1e6),
        p99=round(percentile(alone, 0.99) * 1e6),
        busy=round(statistics.median(one.cpu / one.load.seconds for one in rounds), 3),
        loader=round(loader, 3),
        rates=[round(rate, 1) for rate in rates],
        cpus=[round(cpu, 1) for cpu in cpus],
    )


def too_busy(figures: dict[str, Any]) -> list[str]:
    """Contenders whose results may be limited by the loader."""
    return [name for name, found in figures.items() if found["loader"] > _BUSIEST]


def require_two_cores() -> None:
    """Exits without two cores, because the results would be meaningless."""
    if not {SERVER_CORE, LOADER_CORE} <= os.sched_getaffinity(0):
        raise SystemExit("The benchmark needs two cores: one for servers, one for the loader.")

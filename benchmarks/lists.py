"""Times the key list for each size of organization: settings page, REST list, and a prototype."""

import statistics
from collections.abc import Sequence
from typing import Any, Final

from benchmarks import identities
from benchmarks.databases import Database
from benchmarks.loader import Callers, request
from benchmarks.rounds import LOADER_CORE, Plan, serving
from benchmarks.servers import Server, pin_backends, pinned
from benchmarks.site.rows import ORGANIZATION

_SECONDS: Final = 0.5


def measure(database: Database, sizes: Sequence[int], plan: Plan) -> dict[str, Any]:
    """Milliseconds and CPU milliseconds per page, for each kind of list and size."""
    taken: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with pinned({LOADER_CORE}), serving(database, plan) as server:
        for number in range(plan.rounds):
            first = 0
            for owner, size in enumerate(sizes):
                # A different key in each round, because of rate limits.
                key = first + number % size
                for kind, call in _calls(database, owner, key).items():
                    taken.setdefault((kind, size), []).append(_time(server, database, call))
                first += size
    figures: dict[str, Any] = {}
    for (kind, size), times in taken.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        figures.setdefault(kind, {})[str(size)] = {"ms": round(wall, 2), "cpu_ms": round(cpu, 2)}
    return figures


def _calls(database: Database, owner: int, key: int) -> dict[str, bytes]:
    session = f"sessionid={database.facts['session']}"
    organization = identities.row_id(ORGANIZATION, owner)
    bearer = f"Bearer {identities.our_secret(key)}"
    return {
        "settings page": request(f"/o/organization-{owner}/settings/developer/", cookie=session),
        "REST list": request("/v1/api-keys?limit=20", bearer),
        "keyset prototype": request(f"/api/bench/keyset?organization={organization}"),
    }


def _time(server: Server, database: Database, call: bytes) -> tuple[float, float]:
    caller = Callers(server.port, 1)
    try:
        caller.call(lambda: call, times=3)
        pin_backends(database, LOADER_CORE)
        before = server.cpu_seconds()
        load = caller.call(lambda: call, seconds=_SECONDS)
        cpu = server.cpu_seconds() - before
    finally:
        caller.close()
    return statistics.median(load.latencies) * 1e3, cpu / load.requests * 1e3

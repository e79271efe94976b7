"""Counts database queries and Redis round trips per request, in servers that are not timed."""

import json
import random
import time
from typing import Any, Final
from urllib.request import urlopen

import psycopg

from benchmarks.contenders import BY_NAME, Contender
from benchmarks.databases import Database
from benchmarks.loader import Callers, request
from benchmarks.rounds import LOADER_CORE, Plan, serving, warm_up
from benchmarks.servers import pinned
from benchmarks.site.counting import COUNTS

_COUNTED: Final = ("plain-hot", "plain-cold", "drf-hot", "drf-cold", "drf-api-key", "knox")
#: Far from the limit: 100 requests per key. The standard tier allows 600 a minute.
_KEYS, _CALLS = 20, 100
#: Seconds after which a worker follows the revocation clock and caches keys.
_REGISTERED: Final = 1.0
_OTHERS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_UPDATES: Final = (
    "SELECT relname, n_tup_upd FROM pg_stat_user_tables"
    " WHERE relname IN ('apikeys_apikey', 'apikeys_apikeysecret')"
)


def count(database: Database, keys: int, plan: Plan) -> dict[str, Any]:
    """Queries and Redis round trips per request, and rows written per key."""
    with pinned({LOADER_CORE}):
        return {name: _count_one(BY_NAME[name], database, keys, plan) for name in _COUNTED}


def _count_one(contender: Contender, database: Database, keys: int, plan: Plan) -> dict[str, float]:
    draw = random.Random(contender.name)  # no contender uses another's keys
    chosen = draw.sample(range(keys), min(keys, _KEYS))
    calls = [request(contender.path, contender.authorization(number)) for number in chosen]
    before = _updates(database)
    with serving(database, plan, {**contender.environment, "BENCH_COUNT": "1"}) as server:
        callers = Callers(server.port, 1)
        started = _counts(server.port)
        warm_up(callers, calls)
        time.sleep(_REGISTERED)  # the first request makes the worker follow the clock
        warm_up(callers, calls)
        warm = _counts(server.port)
        warm_up(callers, calls * (_CALLS - 2))
        ended = _counts(server.port)
        callers.close()
    # The worker writes all of its counts before it stops.
    rows = {table: number - before[table] for table, number in _updates(database).items()}
    return {
        "queries": _each(warm, ended, "queries"),
        "redis": _each(started, ended, "round trips"),
        **{f"{table} rows per key": number / len(chosen) for table, number in rows.items()},
    }


def _each(before: dict[str, int], after: dict[str, int], what: str) -> float:
    requests = after["requests"] - before["requests"]
    return round((after.get(what, 0) - before.get(what, 0)) / requests, 4)


def _counts(port: int) -> dict[str, int]:
    with urlopen(f"http://127.0.0.1:{port}{COUNTS}", timeout=30) as answer:
        told: dict[str, int] = json.load(answer)
        return told


def _updates(database: Database) -> dict[str, int]:
    if database.vendor != "postgresql":
        return {}
    with psycopg.connect(database.url, autocommit=True) as connection:
        # A PostgreSQL process reports its writes when it exits.
        while connection.execute(_OTHERS).fetchone() != (0,):
            time.sleep(0.1)
        return dict(connection.execute(_UPDATES).fetchall())

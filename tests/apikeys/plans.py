"""Query plans of the database."""

import json
from collections.abc import Callable
from typing import Any

from django.db import connection


def plan_of(work: Callable[[], object]) -> str:
    """The plan of the one query of `work`, with its own parameters."""
    ((sql, params),) = _queries_of(work)
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", params)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def _queries_of(work: Callable[[], object]) -> list[tuple[str, Any]]:
    seen: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        work()
    return seen


def rows_read(work: Callable[[], object]) -> int:
    """How much the queries of `work` make the database read, to be compared within a test.

    On PostgreSQL the rows and index entries that scans find, on SQLite steps of its machine.
    """
    if connection.vendor == "sqlite":
        return _steps(work)
    reads = [
        (sql, params) for sql, params in _queries_of(work) if sql.startswith(("SELECT", "DECLARE"))
    ]
    return sum(_read(sql, params) for sql, params in reads)


def _read(sql: str, params: Any) -> int:
    if sql.startswith("DECLARE"):
        sql = sql.partition(" FOR ")[2]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {sql}", params)
        ((found,),) = cursor.fetchall()
    (plan,) = json.loads(found) if isinstance(found, str) else found
    return _of_scans(plan["Plan"])


def _of_scans(node: dict[str, Any]) -> int:
    """What the scans of a plan return or throw away, in all of their loops."""
    below = sum(_of_scans(child) for child in node.get("Plans", []))
    if "Scan" not in node["Node Type"] or node["Node Type"] == "Subquery Scan":
        return below
    names = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
    return below + int(node["Actual Loops"] * sum(node.get(name, 0) for name in names))


def _steps(work: Callable[[], object]) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(count, 10)
    try:
        work()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return steps

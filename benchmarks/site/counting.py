"""Counts database queries and Redis round trips of requests. Not used in servers that are timed."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

import redis
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
COUNTS: Final = "/api/bench/counts"
#: Threads of the usage recorder and the revocation clock's follower. Counted separately.
_BACKGROUND: Final = {"usage": "written beside", "clock": "followed beside"}
_counts: "Final[Counter[str]]" = Counter()


def counted(application: Application) -> Application:
    """Serves the counts so far at `COUNTS`, and counts other requests."""
    connection_created.connect(_watch_connection)
    _watch_redis()

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] != COUNTS:
            _counts["requests"] += 1
            return application(environ, start_response)
        body = json.dumps(_counts).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    return wrapper


def _watch_connection(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _count_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(_count_query)


def _count_query(execute: Callable[..., Any], *args: Any) -> Any:
    _counts[_BACKGROUND.get(threading.current_thread().name, "queries")] += 1
    return execute(*args)


def _watch_redis() -> None:
    send: Callable[..., Any] = redis.Connection.send_packed_command

    def counting(self: redis.Connection, *args: Any, **kwargs: Any) -> Any:
        _counts["round trips"] += 1
        return send(self, *args, **kwargs)

    redis.Connection.send_packed_command = counting  # type: ignore[method-assign, assignment]

"""The places that store data, as bytes."""

import contextlib
import logging
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import caches
from django.db import DatabaseError, InterfaceError, connection
from redis import Redis

from config import env

Places = Iterator[tuple[str, bytes]]


class Lines(logging.Handler):
    """What the application's own formatter has made of every record since the last look."""

    def __init__(self) -> None:
        super().__init__()
        options = dict(settings.LOGGING["formatters"]["json"])
        self.setFormatter(options.pop("()")(**options))
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # What cannot be formatted is the console handler's to report.
        with contextlib.suppress(Exception):
            self._lines.append(self.format(record))

    def taken(self) -> Places:
        """The lines, which are then forgotten."""
        lines, self._lines = self._lines, []
        yield "the log", "\n".join(lines).encode()


def database() -> Places:
    """Every column of every row of every table as the test has left them, and the sessions read.

    Nothing where the test has left no transaction that can be read from.
    """
    if connection.needs_rollback:
        return
    with contextlib.suppress(DatabaseError, InterfaceError):
        with connection.cursor() as cursor:
            cursor.execute(_all_rows(connection.vendor))
            yield "the database", "\n".join(row for (row,) in cursor.fetchall()).encode()
        for session in Session.objects.all():
            yield "a session", repr(session.get_decoded()).encode()


@cache
def _all_rows(vendor: str) -> str:
    """One statement for all tables; bytes come out in hexadecimal."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        if vendor == "postgresql":
            parts = [f'SELECT t::text FROM "{table}" t' for table in tables]
        else:
            parts = [
                f'SELECT {" || ".join(_quoted(cursor, table))} FROM "{table}"' for table in tables
            ]
    return " UNION ALL ".join(parts)


def _quoted(cursor: Any, table: str) -> list[str]:
    columns = connection.introspection.get_table_description(cursor, table)
    return [f'quote("{column.name}")' for column in columns]


def cached() -> Places:
    """Django's caches where they live in the process."""
    for one in caches.all(initialized_only=True):
        kept = getattr(one, "_cache", None)
        if isinstance(kept, dict):
            yield "the cache", repr(kept).encode()


def mails() -> Places:
    """What was sent in the test."""
    for message in getattr(mail, "outbox", []):
        parts = [message.body, *(content for content, _ in getattr(message, "alternatives", ()))]
        yield "a mail", message.message().as_bytes() + "\n".join(map(str, parts)).encode()


def store() -> Places:
    """Every name and value in Redis, where there is one."""
    if not settings.REDIS_URL:
        return
    readers = {b"hash": "hgetall", b"list": "lrange", b"set": "smembers", b"zset": "zrange"}
    with Redis.from_url(settings.REDIS_URL) as redis:
        for name in redis.scan_iter(count=1000):
            kind = redis.type(name)
            ends = (0, -1) if kind in (b"list", b"zset") else ()
            value = getattr(redis, readers.get(kind, "get"))(name, *ends)
            yield "Redis", name + b" " + repr(value).encode()


def files() -> Places:
    """What is under `VAR_DIR`, the bytes of deleted rows included.

    For the end of a process only: to close a file of SQLite is to lose all its locks. The
    databases of the benchmark hold millions of keys, none of them of a test.
    """
    bench = env.VAR / "bench"
    for path in env.VAR.rglob("*"):
        if bench in path.parents:
            continue
        with contextlib.suppress(OSError):  # gone meanwhile, or a folder
            yield f"the file {path.name}", path.read_bytes()


def server_logs(folder: Path | None) -> Places:
    """What the servers that a test has started have written to their logs."""
    for path in folder.rglob("*.log") if folder else ():
        yield "the log of a server", path.read_bytes()


def of_a_test(folder: Path | None) -> Places:
    """What is gone when a test has been cleaned up after; `folder` is its own, if it has one."""
    return chain(mails(), cached(), server_logs(folder))

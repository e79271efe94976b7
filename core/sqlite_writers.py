"""Lets the threads of a process write to SQLite one after another."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

_lock: Final = threading.RLock()


@contextmanager
def write_lock(*, wait: bool = True) -> Iterator[bool]:
    """Holds the write lock of this process for SQLite. Yields whether the lock was acquired.

    SQLite itself waits by polling; under load, threads polled until they timed out. Does nothing on
    other databases, or inside a transaction, where the lock is already held.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield True
        return
    acquired = _lock.acquire(blocking=wait)
    try:
        yield acquired
    finally:
        if acquired:
            _lock.release()

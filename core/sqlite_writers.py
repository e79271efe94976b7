"""SQLite has one writer: the threads of a process take turns to be it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection

_turns: Final = threading.RLock()


@contextmanager
def turn(*, wait: bool = True) -> Iterator[bool]:
    """Lets the threads of a process write to SQLite in turns; whether this thread has its turn.

    SQLite's own way of waiting is to try again now and then; under load threads missed their
    chance for as long as they were willing to wait. In a transaction the turn is had already.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield True
        return
    acquired = _turns.acquire(blocking=wait)
    try:
        yield acquired
    finally:
        if acquired:
            _turns.release()

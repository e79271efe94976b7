"""Refuses to open the file of a SQLite database that this process uses.

Closing it, even after reading, gives up all of SQLite's locks in this process. The next process
that ends its connection then deletes the write-ahead log as if it were the last one, and later
queries here fail with “disk I/O error”, or miss what others have written.
"""

import sys
from typing import Any

_guarded: set[str] = set()


def guard(database: str) -> None:
    """From now on, opening the database or its log with Python's functions raises RuntimeError."""
    if not _guarded:
        sys.addaudithook(_refuse)
    _guarded.update({database, f"{database}-wal", f"{database}-shm"})


def release() -> None:
    """For the end of a process, which queries no more."""
    _guarded.clear()


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _guarded and str(arguments[0]) in _guarded:
        raise RuntimeError(
            f"Read {arguments[0]} in a process of its own, or SQLite loses its locks."
        )

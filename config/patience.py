"""How long a process waits for its database: a request a few seconds in all, a command forever.

While the database is silent, requests hardly wait at all, so that those who need no database do not
queue behind them, and a thread of its own finds out when it is back (docs/adr/0013).
"""

import threading
from typing import Final

#: Seconds that a request waits for a silent database: enough for a query of one that is there after
#: all, should it have been one slow query that seemed like silence.
BRIEFLY: Final = 0.1


class _Own(threading.local):
    left: float | None = None


class _Process:
    each: float | None = None
    silent = False


_own: Final = _Own()
_process: Final = _Process()


def limit_each_wait(seconds: float) -> None:
    """From now on every wait of this process ends after so many seconds; 0 for no limit."""
    _process.each = seconds or None


class Budget:
    """Within, this thread waits for the database so many seconds in all; 0 for no limit."""

    __slots__ = ("_seconds",)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        seconds = self._seconds
        _own.left = (min(seconds, BRIEFLY) if _process.silent else seconds) or None

    def __exit__(self, *_: object) -> None:
        _own.left = None


def left() -> float | None:
    """The seconds for which this thread may wait now; None for no limit."""
    return _process.each if _own.left is None else _own.left


def is_silent() -> bool:
    """Whether the last wait of this process ended without an answer."""
    return _process.silent


def may_connect() -> bool:
    """Whether a new connection is worth a try: a request leaves it to the thread that finds out."""
    return _own.left is None or (_own.left > 0 and not _process.silent)


def note_wait(seconds: float, *, answered: bool) -> None:
    """Takes a wait off the budget, and remembers whether the database has answered."""
    if _own.left is not None:
        _own.left = max(0.0, _own.left - seconds)
    _process.silent = not answered


def forget() -> None:
    """Waits as at the start of the process."""
    _own.left, _process.each, _process.silent = None, None, False

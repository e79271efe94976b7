"""Limits how long a request waits for its database in total. Commands wait without a limit.

One slow query is not an outage. A separate thread sends a trivial query on a second connection. The
database counts as unresponsive only if that query isn't answered either. Then requests hardly wait
at all until the thread finds that the database is back (docs/adr/0013).
"""

import threading
from typing import Final

#: Seconds that a request waits for an unresponsive database: enough for a normal query, in case the
#: database is back.
BRIEFLY: Final = 0.1


class _Own(threading.local):
    left: float | None = None


class _Process:
    each: float | None = None
    silent = False
    answered = False


_own: Final = _Own()
_process: Final = _Process()


def limit_each_wait(seconds: float) -> None:
    """Limits every wait of this process to `seconds`. 0: no limit."""
    _process.each = seconds or None


class Budget:
    """Limits the total wait of this thread for the database within the block. 0: no limit."""

    __slots__ = ("_seconds",)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        _own.left = self._seconds or None

    def __exit__(self, *_: object) -> None:
        _own.left = None


def left() -> float | None:
    """Seconds that this thread may still wait. None for no limit.

    Decreases during a wait if another thread finds the database unresponsive.
    """
    if _own.left is None:
        return _process.each
    return min(_own.left, BRIEFLY) if _process.silent else _own.left


def serving_limit() -> float | None:
    """The limit of each wait in a process that serves requests. None in a command."""
    return _process.each


def is_silent() -> bool:
    """Whether the database failed to respond to a trivial query on a second connection."""
    return _process.silent


def may_connect() -> bool:
    """Whether to try a new connection. During an outage, only the checking thread does."""
    return _own.left is None or (_own.left > 0 and not _process.silent)


def note_wait(seconds: float, *, answered: bool) -> None:
    """Takes a wait off the budget. A response to any thread shows that the database is back."""
    if _own.left is not None:
        _own.left = max(0.0, _own.left - seconds)
    if answered:
        _process.silent, _process.answered = False, True


def begin_second_opinion() -> None:
    """Call before the trivial query on the second connection."""
    _process.answered = False


def end_second_opinion() -> bool:
    """Call when that query has finished or timed out. Returns whether the database is silent.

    It is silent if no thread of the process got a response since the second opinion began.
    """
    if not _process.answered:
        _process.silent = True
    return _process.silent


def forget() -> None:
    """Resets everything to the state at the start of the process."""
    _own.left, _process.each = None, None
    _process.silent, _process.answered = False, False

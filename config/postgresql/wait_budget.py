"""How long a process waits for its database: a request a few seconds in all, a command forever.

One slow query is not an outage. A thread of its own sends a trivial query on a second connection;
only when that gets no answer either is the database silent. Requests then hardly wait at all, until
the thread finds that the database is back (docs/adr/0013).
"""

import threading
from typing import Final

#: Seconds that a request waits for a silent database: long enough for a normal query, in case the
#: database has just come back.
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
    """From now on every wait of this process ends after so many seconds; 0 for no limit."""
    _process.each = seconds or None


class Budget:
    """Within, this thread waits for the database so many seconds in all; 0 for no limit."""

    __slots__ = ("_seconds",)

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        _own.left = self._seconds or None

    def __exit__(self, *_: object) -> None:
        _own.left = None


def left() -> float | None:
    """The seconds for which this thread may wait now; None for no limit.

    Falls while a request waits, when another thread finds that the database is silent.
    """
    if _own.left is None:
        return _process.each
    return min(_own.left, BRIEFLY) if _process.silent else _own.left


def serving_limit() -> float | None:
    """The limit of each wait in a process that serves requests; None in a command."""
    return _process.each


def is_silent() -> bool:
    """Whether the database has left a trivial query on a second connection unanswered."""
    return _process.silent


def may_connect() -> bool:
    """Whether a new connection is worth a try: a request leaves it to the thread that finds out."""
    return _own.left is None or (_own.left > 0 and not _process.silent)


def note_wait(seconds: float, *, answered: bool) -> None:
    """Takes a wait off the budget. An answer to any thread shows that the database is there."""
    if _own.left is not None:
        _own.left = max(0.0, _own.left - seconds)
    if answered:
        _process.silent, _process.answered = False, True


def begin_second_opinion() -> None:
    """Call before the trivial query on the second connection."""
    _process.answered = False


def end_second_opinion() -> bool:
    """Call when that query has had its time. Whether the database is silent now.

    It is silent if no thread of the process got an answer since the second opinion began.
    """
    if not _process.answered:
        _process.silent = True
    return _process.silent


def forget() -> None:
    """Waits as at the start of the process."""
    _own.left, _process.each = None, None
    _process.silent, _process.answered = False, False

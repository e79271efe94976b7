"""Limits how many threads of a worker may wait for slow request bodies.

One sender gets at most half of the threads, and all senders together leave one free. A body that
has arrived already is received within microseconds. Only serving processes have these limits.
"""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from core.exceptions import Busy

T = TypeVar("T")
#: Seconds after which a body counts as slow. Other requests don't wait for slow bodies.
_SLOW: Final = 0.1


#: WSGI environ key of requests whose body was rejected.
REFUSED: Final = "latchkey.body_refused"


def busy() -> Busy:
    """The error for a request whose body can't be received now."""
    message = "Too many requests are being received. Try again in 1 second."
    return Busy(message, retry_after=1)


class Receivers:
    """The threads of this process that receive a body. `most` is 0 if nothing is limited."""

    def __init__(self) -> None:
        self.most = self.most_of_one = 0
        #: Per thread: the sender of the body, and when receiving began.
        self._receiving: dict[int, tuple[Hashable, float]] = {}
        self._changed = threading.Condition()

    def limit(self, threads: int) -> None:
        """Sets the limits for a worker with this many threads. 0 removes them."""
        self.most = max(1, threads - 1) if threads else 0
        self.most_of_one = max(1, threads // 2)

    def receive(self, sender: Hashable, read: Callable[[], T]) -> T:
        """Returns `read()`. Raises Busy if too many bodies of `sender`, or of all, are slow."""
        if not self.most:
            return read()
        with self._changed:
            while in_the_way := self._in_the_way(sender):
                left = max(in_the_way) + _SLOW - time.monotonic()
                if left <= 0:
                    raise busy()
                self._changed.wait(left)
            self._receiving[threading.get_ident()] = (sender, time.monotonic())
        try:
            return read()
        finally:
            with self._changed:
                del self._receiving[threading.get_ident()]
                self._changed.notify_all()

    def _in_the_way(self, sender: Hashable) -> list[float]:
        """Start times of the bodies that must finish first. Empty if there is room."""
        since = [began for _, began in self._receiving.values()]
        own = [began for other, began in self._receiving.values() if other == sender]
        if len(own) >= self.most_of_one:
            return own
        return since if len(since) >= self.most else []


receivers: Final = Receivers()

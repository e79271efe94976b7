"""Request bodies that arrive slowly: how many threads of a worker may wait for them.

One sender gets at most half of the threads, all senders together leave one free. A body that is
there already is received within microseconds. Only serving processes have these limits.
"""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from core.exceptions import Busy

T = TypeVar("T")
#: Seconds after which a body that is being received is a slow one, which no other waits for.
_SLOW: Final = 0.1


#: Where the server's environment of a request says that its body was not received.
REFUSED: Final = "latchkey.body_refused"


def busy() -> Busy:
    """The refusal of a request whose body is not waited for."""
    message = "Too many requests are being received. Try again in 1 second."
    return Busy(message, retry_after=1)


class Receivers:
    """The threads of this process that receive a body; `most` is 0 where nothing is limited."""

    def __init__(self) -> None:
        self.most = self.most_of_one = 0
        #: By thread: whose body it receives, and since when.
        self._receiving: dict[int, tuple[Hashable, float]] = {}
        self._changed = threading.Condition()

    def limit(self, threads: int) -> None:
        """From now on for so many threads; 0 for no limit."""
        self.most = max(1, threads - 1) if threads else 0
        self.most_of_one = max(1, threads // 2)

    def receive(self, sender: Hashable, read: Callable[[], T]) -> T:
        """What `read` returns; Busy where too many others of `sender`, or of all, are at it."""
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
        """Since when those receive that have to end first; none where there is room."""
        since = [began for _, began in self._receiving.values()]
        own = [began for other, began in self._receiving.values() if other == sender]
        if len(own) >= self.most_of_one:
            return own
        return since if len(since) >= self.most else []


#: The process's own.
receivers: Final = Receivers()

"""Load generator with persistent connections. Each sends its next request after a response.

Does little work per request, so that one core can send faster than another can respond.
"""

import gc
import re
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PATIENCE: Final = 30
_AT_ONCE: Final = 1 << 18
NextRequest = Callable[[], bytes]


class BadAnswer(RuntimeError):
    """Unexpected response, which makes the run worthless."""


@dataclass(slots=True)
class Load:
    """The result of a load: duration, latency of each request, and the loader's CPU time."""

    seconds: float
    loader_seconds: float
    latencies: list[float] = field(repr=False)

    @property
    def requests(self) -> int:
        """The number of responses."""
        return len(self.latencies)


def request(path: str, authorization: str = "", cookie: str = "") -> bytes:
    """The bytes of a GET request."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: benchmark"]
    lines += [f"Authorization: {authorization}"] if authorization else []
    lines += [f"Cookie: {cookie}"] if cookie else []
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class Callers:
    """Persistent connections to a server."""

    def __init__(self, port: int, number: int, expected: Sequence[int] = (200,)) -> None:
        self._expected = tuple(b"HTTP/1.1 %d " % status for status in expected)
        self._sockets: dict[int, socket.socket] = {}
        self._poll = select.epoll()
        for _ in range(number):
            connection = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[connection.fileno()] = connection
            self._poll.register(connection.fileno(), select.EPOLLIN)

    def close(self) -> None:
        self._poll.close()
        for connection in self._sockets.values():
            connection.close()

    def call(
        self, following: NextRequest, *, seconds: float | None = None, times: int | None = None
    ) -> Load:
        """Sends requests for a time or a number of times. Raises BadAnswer on another status."""
        with _no_collection():
            used, began = time.process_time(), time.perf_counter()
            latencies = self._run(following, began + (seconds or 3600), times or 1 << 62)
            ended = time.perf_counter()
            return Load(ended - began, time.process_time() - used, latencies)

    def _run(self, following: NextRequest, deadline: float, times: int) -> list[float]:
        clock, latencies = time.perf_counter, []
        sent: dict[int, float] = {}
        for number, connection in self._sockets.items():
            if len(sent) < times:
                sent[number] = clock()
                connection.sendall(following())
        left = times - len(sent)
        while sent:
            ready = self._poll.poll(_PATIENCE)
            if not ready:
                raise BadAnswer(f"No answer within {_PATIENCE} seconds.")
            for number, _ in ready:
                self._receive(self._sockets[number])
                now = clock()
                latencies.append(now - sent[number])
                if now < deadline and left > 0:
                    left -= 1
                    message = following()
                    sent[number] = clock()
                    self._sockets[number].sendall(message)
                else:
                    del sent[number]
        return latencies

    def _receive(self, connection: socket.socket) -> None:
        """Receives one complete response."""
        answer = connection.recv(_AT_ONCE)
        while not _is_whole(answer):
            part = connection.recv(_AT_ONCE)
            if not part:
                raise BadAnswer(f"The server hung up after {answer[:500]!r}.")
            answer += part
        if not answer.startswith(self._expected):
            raise BadAnswer(answer[:500].decode(errors="replace"))


def _is_whole(answer: bytes) -> bool:
    """Whether a response is complete, by its Content-Length or its last chunk."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _LENGTH.search(answer, 0, head)
    if length is None:
        return answer.endswith(b"\r\n0\r\n\r\n")
    return len(answer) >= head + 4 + int(length[1])


@contextmanager
def _no_collection() -> Iterator[None]:
    """Disables garbage collection, which would count as waiting."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def percentile(values: list[float], part: float) -> float:
    """The value that a fraction `part` of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

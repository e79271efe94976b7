"""Callers on kept connections: each sends its next request when it has its answer.

Written for little work per request, so that one core asks faster than another can answer.
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
    """Something else than 200 came back: the run is worth nothing."""


@dataclass(slots=True)
class Load:
    """What came of a load: how long it took, what each request took, what the loader used."""

    seconds: float
    loader_seconds: float
    latencies: list[float] = field(repr=False)

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self.latencies)


def request(path: str, authorization: str = "", cookie: str = "") -> bytes:
    """The bytes of a GET."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "User-Agent: benchmark"]
    lines += [f"Authorization: {authorization}"] if authorization else []
    lines += [f"Cookie: {cookie}"] if cookie else []
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class Callers:
    """Connections to a server, to be used again and again."""

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
        """Hangs up."""
        self._poll.close()
        for connection in self._sockets.values():
            connection.close()

    def call(
        self, following: NextRequest, *, seconds: float | None = None, times: int | None = None
    ) -> Load:
        """Calls for that long or that many times; BadAnswer for an unexpected status."""
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
        """One answer, whole."""
        answer = connection.recv(_AT_ONCE)
        while not _is_whole(answer):
            part = connection.recv(_AT_ONCE)
            if not part:
                raise BadAnswer(f"The server hung up after {answer[:500]!r}.")
            answer += part
        if not answer.startswith(self._expected):
            raise BadAnswer(answer[:500].decode(errors="replace"))


def _is_whole(answer: bytes) -> bool:
    """Whether all of an answer is there: of its length, or in chunks where it names none."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    length = _LENGTH.search(answer, 0, head)
    if length is None:
        return answer.endswith(b"\r\n0\r\n\r\n")
    return len(answer) >= head + 4 + int(length[1])


@contextmanager
def _no_collection() -> Iterator[None]:
    """Python's own tidying would be counted as waiting."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def percentile(values: list[float], part: float) -> float:
    """The value that `part` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]

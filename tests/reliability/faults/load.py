"""Clients that send requests without a pause, and record the time and result of each."""

import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

#: What a request without an answer has for a status.
LOST = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A request: when it was sent and answered, on the monotonic clock, and how."""

    sent: float
    answered: float
    status: int
    policy: str = ""

    @property
    def seconds(self) -> float:
        return self.answered - self.sent


@dataclass
class Load:
    """As many threads as `clients`, each with a connection of its own for every request.

    A new connection may go to any worker, so that all of them get their part.
    """

    address: str
    secrets: Sequence[str]
    paths: Sequence[str]
    clients: int = 6
    pause: float = 0
    patience: float = 60
    calls: list[Call] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(n,)) for n in range(self.clients)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        paths, secrets = cycle(self.paths), cycle(self.secrets)
        for _ in range(number):  # each client begins elsewhere
            next(paths), next(secrets)
        while not self._end.is_set():
            path, secret = next(paths), next(secrets)
            self.calls.append(send(self.address, path, secret, patience=self.patience))
            time.sleep(self.pause)

    def wait_for(self, count: int, *statuses: int, seconds: float = 30) -> None:
        """Returns when so many calls from now on have ended with one of the statuses."""
        seen, deadline = len(self.calls), time.monotonic() + seconds
        while sum(call.status in statuses for call in self.calls[seen:]) < count:
            assert time.monotonic() < deadline, f"not {count} answers {statuses} in {seconds} s"
            time.sleep(0.01)

    def after(self, moment: float) -> list[Call]:
        """The calls that were sent after `moment`."""
        return [call for call in self.calls if call.sent > moment]


def send(address: str, path: str, secret: str, *, patience: float = 60) -> Call:
    """One request on a connection of its own."""
    with _connection(address, patience) as wire:
        sent = time.monotonic()
        try:
            wire.request("GET", path, headers={"Authorization": f"Bearer {secret}"})
            answer = wire.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return Call(sent, time.monotonic(), LOST)
        policy = answer.headers.get("RateLimit-Policy", "")
        return Call(sent, time.monotonic(), answer.status, policy)


@contextmanager
def _connection(address: str, patience: float) -> Iterator[http.client.HTTPConnection]:
    parts = urlsplit(address)
    wire = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=patience)
    try:
        yield wire
    finally:
        wire.close()

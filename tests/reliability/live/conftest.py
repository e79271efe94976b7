"""A real server on the test database: several workers on PostgreSQL, several threads on SQLite."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest
from django.conf import settings as configured
from django.db import connection
from pytest_django import Settings

from apikeys.services import Issued

T = TypeVar("T")
START_SECONDS = 60
LEASE = 0.4
WSGI = "config.wsgi:application"
UNSHIELDED = "tests.reliability.faults.unshielded:application"
#: Making a client takes longer than most calls. This one opens a connection for each call.
_client = httpx.Client(
    timeout=60, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
)


def rounds(name: str, few: int) -> int:
    """How often a test tries: the variable that a make target sets, or `few`."""
    return int(os.environ.get(name) or few)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and how to call it."""

    address: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Asks the server to stop, as a service manager does, and waits until it has."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(START_SECONDS)

    def kill(self) -> None:
        """Ends every process of the server at once, as a power cut does; none can say a word."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(START_SECONDS)

    @property
    def workers(self) -> list[int]:
        """The processes that answer requests."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def call(
        self, method: str, path: str, *, key: Issued | str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        """One request on a connection of its own, which any worker may take."""
        secret = key.secret if isinstance(key, Issued) else key
        headers = {"Authorization": f"Bearer {secret}"}
        url = self.address + path
        return _client.request(method, url, headers=headers, json=body)

    def insist(
        self, method: str, path: str, *, key: Issued | str, body: dict[str, Any] | None = None
    ) -> httpx.Response:
        """The same, and again while too many of its kind are in progress or being received."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            answer = self.call(method, path, key=key, body=body)
            if answer.status_code != HTTPStatus.TOO_MANY_REQUESTS or time.monotonic() > deadline:
                return answer
            time.sleep(0.02)

    def statuses(self, key: Issued | str, times: int = 16) -> list[int]:
        """The statuses of `times` calls at once with `key`."""
        path = "/v1/api-keys/current"
        return at_once(times, lambda _: self.call("GET", path, key=key).status_code)


def at_once(times: int, act: Callable[[int], T]) -> list[T]:
    """Calls `act` with 0, 1, 2 … in as many threads, which all begin together."""
    barrier = Barrier(times)

    def wait_and_act(number: int) -> T:
        barrier.wait()
        return act(number)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(wait_and_act, range(times)))


@pytest.fixture
def server(committed: None, tmp_path: Path, settings: Settings) -> Iterator[Server]:
    """Granian as in production, with leases, on a free port of the loopback interface."""
    settings.API_KEY_LEASE = LEASE  # what tests do themselves has to wait as well
    with running(tmp_path / "server.log") as server:
        yield server


@contextmanager
def running(
    log: Path,
    shape: tuple[int, int] | None = None,
    application: str = WSGI,
    **variables: str,
) -> Iterator[Server]:
    """A server in a process group of its own; `shape` is how many workers and threads of each.

    `variables` are its settings. A worker that is killed gets a successor.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    workers, threads = shape or ((1, 4) if connection.vendor == "sqlite" else (4, 2))
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--port", str(port), "--workers", str(workers)),
        # Without it granian waits forever when the signal meets a worker that is still starting.
        *("--workers-kill-timeout", "5"),
        *("--respawn-failed-workers", "--respawn-interval", "0.1"),
        application,
    ]
    environment = {**environment_of_server(), "API_BASE_URL": address, "API_KEY_LEASE": str(LEASE)}
    # A machine that runs the tests may be slow; a limit is exact as long as the store answers.
    environment |= {"USAGE_INTERVAL": "0.5", "REDIS_TIMEOUT": "10"}
    environment |= {"GRANIAN_BLOCKING_THREADS": str(threads)} | variables
    with log.open("ab") as lines:
        process = subprocess.Popen(
            command, env=environment, stdout=lines, stderr=lines, start_new_session=True
        )
        server = Server(address, process)
        try:
            yield _when_ready(server, log)
        finally:
            server.stop()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_of_server() -> dict[str, str]:
    """What a process needs to work on the test database."""
    return {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "config.settings.test",
        "REDIS_URL": configured.REDIS_URL,
    }


def database_url() -> str:
    """The test database's own address, which only its settings know."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user, password = quote(database["USER"]), quote(database["PASSWORD"])
    return f"postgres://{user}:{password}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


def _when_ready(server: Server, log: Path) -> Server:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if _client.get(f"{server.address}/readyz").is_success:
                return server
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(log.read_text())

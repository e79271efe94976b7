"""Bodies that never arrive occupy only some threads, and none reserved for other clients."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from apikeys.services import Issued
from organizations.models import Organization
from tests.reliability.faults.load import send
from tests.reliability.live.conftest import Server, running

#: Many more than the server has threads.
CONNECTIONS = 24
CURRENT = "/v1/api-keys/current"


@pytest.fixture
def server(committed: None, tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "server.log", (1, 4)) as server:
        yield server


@contextmanager
def _held(server: Server, head: str, length: str) -> Iterator[list[socket.socket]]:
    """Connections that have sent their headers and one byte of the body."""
    parts = urlsplit(server.address)
    with ExitStack() as stack:
        connections = []
        for _ in range(CONNECTIONS):
            connection = socket.create_connection((str(parts.hostname), parts.port or 80), 30)
            stack.callback(connection.close)
            connection.sendall(f"{head}Host: 127.0.0.1\r\n{length}\r\n\r\n".encode())
            connections.append(connection)
        yield connections


def _answered(connections: list[socket.socket]) -> int:
    """How many were refused, and not waited for."""
    refused = 0
    for connection in connections:
        connection.settimeout(2)
        try:
            refused += b" 429 " in connection.recv(4096)
        except TimeoutError:
            continue
    return refused


LENGTHS = {
    "of a known length": "Content-Length: 500",
    "in chunks": "Transfer-Encoding: chunked",
}


@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("path", ["/v1/api-keys", "/accounts/login/"])
def test_slow_bodies_leave_threads_to_others(
    server: Server,
    path: str,
    length: str,
    reader: Issued,
    globex: Organization,
    make_key: Callable[..., Issued],
) -> None:
    other = make_key(organization=globex)
    bearer = f"Authorization: Bearer {reader.secret}\r\n"
    head = f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\n{bearer}"

    with _held(server, head, length) as connections:
        refused = _answered(connections)
        alive = [send(server.address, "/livez", "").status for _ in range(8)]
        checks = [send(server.address, CURRENT, other.secret).status for _ in range(8)]

    assert refused >= CONNECTIONS - 4
    assert alive == [200] * 8
    assert checks == [200] * 8

"""Requests that no client library would send: the real server responds below 500 or disconnects."""

import socket

from apikeys.services import Issued
from tests.reliability.live.conftest import Server, server
from tests.security.hostile import corpus

__all__ = ["server"]
#: Seconds for which a request that promises more than it sends is waited for.
_PATIENCE = 1.0


def _status(server: Server, request: bytes) -> int | None:
    """None where the server hangs up, or waits for what never comes."""
    host, port = server.address.removeprefix("http://").split(":")
    answer = b""
    try:
        with socket.create_connection((host, int(port)), timeout=_PATIENCE) as wire:
            wire.sendall(request)
            answer = wire.recv(65536)
    except OSError:
        pass
    parts = answer.split(b" ", 2)
    return int(parts[1]) if answer.startswith(b"HTTP/") and len(parts) > 1 else None


def _get(path: str, authorization: str, *headers: tuple[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Connection: close"]
    if not any(name == "Host" for name, _ in headers):
        lines.append("Host: localhost")
    lines += [f"Authorization: {authorization}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogatepass")


def test_the_server_stands(server: Server, manager: Issued) -> None:
    good = f"Bearer {manager.secret}"
    requests = {
        **{repr(r)[:60]: r.replace(b"KEY", manager.secret.encode()) for r in corpus.REQUESTS},
        **{repr(header)[:60]: _get("/v1/api-keys", good, header) for header in corpus.HEADERS},
        **{repr(value)[:60]: _get("/v1/api-keys", value) for value in corpus.CREDENTIALS},
        **{part[:60]: _get(f"/v1/api-keys/{part}", good) for part in corpus.PARTS},
        **{query[:60]: _get(f"/v1/api-keys?{query}", good) for query in corpus.QUERIES},
    }

    statuses = {label: _status(server, request) for label, request in requests.items()}

    assert {label: s for label, s in statuses.items() if s is not None and s >= 500} == {}
    assert sum(status is not None for status in statuses.values()) > len(statuses) / 2
    assert server.call("GET", "/v1/api-keys", key=manager).status_code == 200

"""Requests that send their headers and a part of the body first, and the rest much later."""

import http.client
import io
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from django.db import connection, transaction

from organizations.models import Organization
from tests.reliability.faults.wires import Answer, Request
from tests.reliability.live.conftest import free_port

_SECONDS: Final = 30
#: Long enough for a server to have the headers and to begin with them.
_HEAD_START: Final = 0.1


class HeldRequest:
    """A request that has been begun: all of it but the second half of its body."""

    def __init__(self, address: str, request: Request) -> None:
        host, port = address.removeprefix("http://").split(":")
        half = len(request.body) // 2
        assert half
        lines = [
            f"{request.method} {request.path} HTTP/1.1",
            f"Host: {host}:{port}",
            "Connection: close",
            f"Content-Length: {len(request.body)}",
            *(f"{name}: {value}" for name, value in request.headers.items()),
        ]
        head = "\r\n".join(lines).encode() + b"\r\n\r\n"
        self._rest = request.body[half:]
        self._socket = socket.create_connection((host, int(port)), timeout=_SECONDS)
        self._socket.sendall(head + request.body[:half])
        time.sleep(_HEAD_START)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def finish(self) -> Answer:
        """Sends the rest; a server that has answered already may take no more of it."""
        with suppress(OSError):
            self._socket.sendall(self._rest)
        return read_answer(self._socket)


class _Read(socket.socket):
    """Bytes that have come, where the standard library wants a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: Any, **__: Any) -> Any:
        return io.BytesIO(self._data)


def read_answer(wire: socket.socket) -> Answer:
    """The answer, up to the end of the connection."""
    data = b"".join(iter(lambda: wire.recv(65536), b""))
    response = http.client.HTTPResponse(_Read(data))
    response.begin()
    return Answer(response.status, response.read().decode())


_HAPROXY: Final = """
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend all
    bind 127.0.0.1:{port}
    default_backend one
backend one
    server only {server}
"""


@contextmanager
def haproxy(folder: Path, address: str) -> Iterator[str]:
    """HAProxy as it comes, in front of a server; it passes parts of a body on as they arrive."""
    program, port = shutil.which("haproxy"), free_port()
    assert program
    config = folder / "haproxy.cfg"
    config.write_text(_HAPROXY.format(port=port, server=address.removeprefix("http://")))
    process = subprocess.Popen([program, "-q", "-db", "-f", str(config)])
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the proxy does not listen")


@contextmanager
def held_lock(organization: Organization) -> Iterator[None]:
    """The organization's row is locked within; what is done there is committed at the end."""
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=organization.pk)
        yield


def is_waiting() -> bool:
    """Whether another connection waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])

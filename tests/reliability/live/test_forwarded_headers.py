"""A client can't choose its own IP address with a header name that contains underscores."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.reliability.live.conftest import Server, free_port, running

PROXY, CLIENT = "127.0.0.1", "127.0.0.2"
#: What clients send to be taken for another address, alone and around the proxy's own header.
FORGERIES = [
    [b"X_Forwarded_For: 9.9.9.9"],
    [b"X-Forwarded_For: 9.9.9.9"],
    [b"x_forwarded-for: 9.9.9.9"],
    [b"X-Forwarded-For: 9.9.9.9", b"X_Forwarded_For: 9.9.9.9"],
    [b"Forwarded: for=9.9.9.9", b"X_Forwarded_For: 9.9.9.9"],
    [b'Forwarded: for="9.9.9.9', b"X_Forwarded_For: 9.9.9.9"],
]
DROPPING = """
    http-request del-header _ -m sub
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto https
"""
FORWARDED = """
    http-request set-header Forwarded for=%[src];proto=https
"""
APPENDING = """
    http-request add-header Forwarded for=%[src];proto=https
"""

#: Caddy's names with and without wildcards; it writes the first letter of each part as a capital.
CADDY_DROPPING = """
    header_up -X_*
    header_up -X-Forwarded_*
"""
CADDY_FORWARDED = """
    header_up Forwarded "for=\\"{client_ip}\\";proto=https"
"""
CADDY = shutil.which("caddy", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

needs_haproxy = pytest.mark.skipif(not shutil.which("haproxy"), reason="no HAProxy on PATH")


@contextmanager
def haproxy(folder: Path, server: Server, rules: str) -> Iterator[int]:
    """A proxy in front of `server`; its port."""
    port, backend = free_port(), server.address.removeprefix("http://")
    timeouts = "".join(f"    timeout {name} 30s\n" for name in ("connect", "client", "server"))
    file = folder / "haproxy.cfg"
    file.write_text(
        f"defaults\n    mode http\n{timeouts}"
        f"listen proxy\n    bind 127.0.0.1:{port}{rules}    server app {backend}\n"
    )
    process = subprocess.Popen(["haproxy", "-db", "-f", str(file)])
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def caddy(folder: Path, server: Server, rules: str) -> Iterator[int]:
    """The same with Caddy."""
    port, backend = free_port(), server.address.removeprefix("http://")
    file = folder / "Caddyfile"
    file.write_text(
        "{\n    admin off\n    auto_https off\n    persist_config off\n}\n"
        f"http://:{port} {{\n    bind 127.0.0.1\n"
        f"    reverse_proxy {backend} {{{rules}}}\n}}\n"
    )
    home = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    process = subprocess.Popen(
        [str(CADDY), "run", "--config", str(file), "--adapter", "caddyfile"],
        env=home,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection((PROXY, port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def address_logged(log: Path, port: int, *headers: bytes) -> str:
    """The address that the application logs for a request with raw header lines."""
    path = f"/v1/nothing-{uuid4()}"
    lines = [b"GET %s HTTP/1.1" % path.encode(), b"Host: localhost", b"Connection: close", *headers]
    with socket.create_connection((PROXY, port), 30, source_address=(CLIENT, 0)) as wire:
        wire.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.split(b" ", 2)[1] == b"404", answer
    deadline = time.monotonic() + 30
    while path not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    line = next(line for line in log.read_text().splitlines() if path in line)
    address: str = json.loads(line)["ip"]
    return address


@contextmanager
def application(folder: Path, *, trusted: str = PROXY, forwarded: str = "on") -> Iterator[Server]:
    variables = {"TRUSTED_PROXIES": trusted, "USE_FORWARDED_HEADER": forwarded}
    with running(folder / "server.log", shape=(1, 4), **variables) as server:
        yield server


def port_of(server: Server) -> int:
    return int(server.address.rpartition(":")[2])


def test_nothing_but_forwarded_counts(committed: None, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with application(tmp_path, trusted=CLIENT) as server:
        port = port_of(server)
        for forgery in FORGERIES[:4]:
            assert address_logged(log, port, *forgery) == CLIENT
            genuine = b"Forwarded: for=203.0.113.7;proto=https"
            assert address_logged(log, port, *forgery, genuine) == "203.0.113.7"
            assert address_logged(log, port, genuine, *forgery) == "203.0.113.7"
        for forgery in FORGERIES:
            appended = b'Forwarded: For="[2001:db8::7]:443"'
            assert address_logged(log, port, *forgery, appended) == "2001:db8::7"


@needs_haproxy
@pytest.mark.parametrize(
    ("rules", "forwarded"),
    [(DROPPING, "off"), (FORWARDED, "on"), (APPENDING, "on")],
    ids=["dropping", "setting", "appending"],
)
def test_no_client_of_a_proxy_is_taken_for_another(
    committed: None, tmp_path: Path, rules: str, forwarded: str
) -> None:
    log = tmp_path / "server.log"
    with (
        application(tmp_path, forwarded=forwarded) as server,
        haproxy(tmp_path, server, rules) as port,
    ):
        seen = [address_logged(log, port, *forgery) for forgery in FORGERIES]

    assert seen == [CLIENT] * len(FORGERIES)


@pytest.mark.skipif(CADDY is None, reason="no Caddy on PATH")
@pytest.mark.parametrize(
    ("rules", "forwarded"),
    [("\n", "off"), (CADDY_DROPPING, "off"), (CADDY_FORWARDED, "on")],
    ids=["by itself", "dropping", "setting"],
)
def test_no_client_of_caddy_is_taken_for_another(
    committed: None, tmp_path: Path, rules: str, forwarded: str
) -> None:
    log = tmp_path / "server.log"
    with (
        application(tmp_path, forwarded=forwarded) as server,
        caddy(tmp_path, server, rules) as port,
    ):
        seen = [address_logged(log, port, *forgery) for forgery in FORGERIES]

    assert seen == [CLIENT] * len(FORGERIES)


def test_the_server_takes_a_name_with_underscores_for_the_other(
    committed: None, tmp_path: Path
) -> None:
    """What proxies must drop, and that the tests above would notice."""
    log = tmp_path / "server.log"
    genuine, forged = b"X-Forwarded-For: 203.0.113.7", b"X_Forwarded_For: 9.9.9.9"
    with application(tmp_path, trusted=CLIENT, forwarded="off") as server:
        assert address_logged(log, port_of(server), genuine, forged) == "9.9.9.9"

"""A real server rejects a path prefix and works on a Unix socket."""

import json
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from apikeys.services import Issued
from tests.reliability.live.conftest import START_SECONDS, WSGI, environment_of_server, free_port
from tests.support.processes import GOOD_SECRETS, MAIL_SERVER, SITE_URL

PROXIED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "Host": "testserver"}


@contextmanager
def granian(
    log: Path, family: socket.AddressFamily, where: object, *options: str
) -> Iterator[None]:
    """A server with options of its own, as soon as it accepts connections."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws", *options, WSGI]
    production = {
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "ALLOWED_HOSTS": "testserver",
        "TRUSTED_PROXIES": "127.0.0.1",
        "EMAIL_URL": MAIL_SERVER,
        "SITE_URL": SITE_URL,
    }
    variables = {**GOOD_SECRETS, **environment_of_server(), **production}
    with log.open("wb") as lines:
        process = subprocess.Popen(
            [*command, "--workers-kill-timeout", "5"], env=variables, stdout=lines, stderr=lines
        )
    try:
        _wait(process, log, family, where)
        yield
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait(
    process: subprocess.Popen[bytes], log: Path, family: socket.AddressFamily, where: object
) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(family) as probe:
            if probe.connect_ex(where) == 0 and "Started worker-1" in log.read_text():  # type: ignore[arg-type]
                return
        time.sleep(0.05)
    pytest.fail(log.read_text())


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/v1/api-keys/current", "/", "/admin/"])
def test_a_path_prefix_is_refused_with_a_sentence(
    under_path: tuple[str, Path], reader: Issued, path: str
) -> None:
    address, log = under_path
    headers = {**PROXIED, "Authorization": f"Bearer {reader.secret}"}

    answer = httpx.get(f"{address}/keys{path}", headers=headers, trust_env=False)

    assert answer.status_code == 500
    assert "host name of its own" in answer.text
    assert '"served_under_path"' in log.read_text()


@pytest.fixture
def under_path(committed: None, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    port, log = free_port(), tmp_path / "server.log"
    options = ("--port", str(port), "--url-path-prefix", "/keys")
    with granian(log, socket.AF_INET, ("127.0.0.1", port), *options):
        yield f"http://127.0.0.1:{port}", log


def test_a_proxy_behind_a_unix_socket_is_believed(
    committed: None, reader: Issued, tmp_path: Path
) -> None:
    log, file = tmp_path / "server.log", tmp_path / "app.sock"
    options = ("--uds", str(file), "--uds-permissions", "0660")  # as the operations guide says
    with granian(log, socket.AF_UNIX, str(file), *options):
        mode = stat.S_IMODE(file.stat().st_mode)
        transport = httpx.HTTPTransport(uds=str(file))
        with httpx.Client(transport=transport, base_url="http://testserver") as client:
            key = {"Authorization": f"Bearer {reader.secret}"}
            current = client.get("/v1/api-keys/current", headers=PROXIED | key)
            page = client.get("/", headers=PROXIED)
            client.get("/nothing", headers=PROXIED)

    assert mode == 0o660
    assert current.status_code == 200
    assert page.status_code == 302, "no redirect from HTTPS to HTTPS"
    assert page.headers["Location"].startswith("/accounts/login/")
    lines = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{"]
    assert {line["ip"] for line in lines if line["event"] == "request"} == {"203.0.113.7"}

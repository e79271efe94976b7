"""The demo as users run it: a process that is started, used and stopped."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from config.env import ROOT
from tests.support.processes import GOOD_SECRETS, environment, manage

WAIT = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def demo(var: Path, port: int, **more: str) -> Iterator[subprocess.Popen[str]]:
    """The running demo, with all it keeps under `var`."""
    variables = environment(VAR_DIR=str(var))
    del variables["ENV_FILE"], variables["SITE_URL"]
    variables |= more
    command = [sys.executable, "manage.py", "demo", "--port", str(port)]
    with (var / "output").open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        wait_for(process, port)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(WAIT)


def wait_for(process: subprocess.Popen[str], port: int) -> None:
    """Returns when the demo answers; fails when it ends before, or does not within the wait."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/livez").raise_for_status()
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"The demo did not answer; exit code {process.poll()}.")


def interrupted(process: subprocess.Popen[str]) -> int:
    """The exit code after Ctrl-C."""
    process.send_signal(signal.SIGINT)
    return process.wait(WAIT)


def printed(var: Path) -> str:
    return (var / "output").read_text()


def tracked() -> set[str]:
    """What lies in the project's own folder for kept things, which a test must not touch."""
    folder = ROOT / "var"
    return {f"{path}:{path.stat().st_size}" for path in folder.glob("demo.env")}


def test_it_serves_what_it_prints_and_keeps_it(tmp_path: Path) -> None:
    before = tracked()
    with demo(tmp_path, free_port()) as process:
        first = printed(tmp_path)
        tour = exports(first)
        key = tour["KEY"]
        page = httpx.get(
            f"{tour['API']}/v1/accounts/{tour['ACCOUNT']}/templates?pageIndex=0&pageSize=5",
            headers={"Authorization": f"Bearer {key}"},
        )
        login = httpx.get(re.findall(r"(http\S+/admin/)", first)[0], follow_redirects=True)
        assert interrupted(process) == 0
    secrets = tmp_path / "demo.env"
    kept = secrets.read_text()

    assert page.status_code == 200
    assert (len(page.json()["items"]), page.json()["totalCount"]) == (5, 12)
    assert login.status_code == 200
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert re.findall("DEMO_PASSWORD=(.+)", kept)[0] in first

    with demo(tmp_path, free_port()) as process:
        second = printed(tmp_path)
        again = httpx.get(
            f"{url_of(second)}/v1/api-keys/current", headers={"Authorization": f"Bearer {key}"}
        )
        assert interrupted(process) == 0

    assert again.status_code == 200
    assert secrets.read_text() == kept
    assert not re.search(r"_(live|test)_[0-9A-Za-z]{40}", second)
    assert exports(second)["ACCOUNT"] == tour["ACCOUNT"]
    assert tracked() == before


def test_exports_of_a_later_start_create_another_key(tmp_path: Path) -> None:
    for _ in range(2):
        with demo(tmp_path, free_port()) as process:
            text = printed(tmp_path)
            assert interrupted(process) == 0
    with demo(tmp_path, free_port()) as process:
        expression = exports(text)["KEY"]
        secret = subprocess.run(
            ["sh", "-c", f"printf %s {expression}"],
            cwd=ROOT,
            env=environment() | {"ENV_FILE": ""},
            capture_output=True,
            text=True,
            timeout=WAIT,
        ).stdout
        caller = httpx.get(
            f"{url_of(printed(tmp_path))}/v1/api-keys/current",
            headers={"Authorization": f"Bearer {secret}"},
        )
        assert interrupted(process) == 0

    assert (caller.status_code, caller.json()["name"]) == (200, "Another 1")


def test_it_says_what_it_prepares_and_nothing_about_requests(tmp_path: Path) -> None:
    with demo(tmp_path, free_port()) as process:
        httpx.get(f"{url_of(printed(tmp_path))}/accounts/login/").raise_for_status()
        assert interrupted(process) == 0
    text = printed(tmp_path)
    steps, _, after = text.partition("\n\n")

    assert steps.splitlines() == [
        "Migrating the database …",
        "Collecting static files …",
        "Creating demo data …",
    ]
    assert after.endswith("\n  Press Ctrl-C to stop. Only warnings and emails appear below.\n")


def test_staff_land_in_the_administration(tmp_path: Path) -> None:
    with demo(tmp_path, free_port()) as process:
        text = printed(tmp_path)
        url = url_of(text)
        with httpx.Client(base_url=url, follow_redirects=True) as client:
            form = client.get("/").text
            token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)[0]
            fields = {
                "login": "staff@latchkey.example",
                "password": re.findall(r"Password +(\S+)", text)[0],
                "csrfmiddlewaretoken": token,
            }
            landed = client.post("/accounts/login/", data=fields)
        assert interrupted(process) == 0

    assert (landed.status_code, landed.url.path) == (200, "/admin/")


def test_it_prints_addresses_on_which_passkeys_work(tmp_path: Path) -> None:
    """Browsers refuse passkeys on IP addresses."""
    port = free_port()
    with demo(tmp_path, port) as process:
        text = printed(tmp_path)
        guide = httpx.get(f"{url_of(text)}/docs/").text
        assert interrupted(process) == 0

    places = {urlsplit(url).netloc for url in re.findall(r"http://\S+", text)}
    assert places == {f"localhost:{port}"}
    assert f"http://localhost:{port}/v1" in guide


@pytest.mark.parametrize("chosen", ["", "https://keys.example.com"])
def test_links_in_emails_begin_with_its_address_or_the_chosen_one(
    tmp_path: Path, chosen: str
) -> None:
    port = free_port()
    more = {"SITE_URL": chosen} if chosen else {}
    with demo(tmp_path, port, SECURITY_CONTACT="mailto:security@example.com", **more) as process:
        text = httpx.get(f"http://localhost:{port}/.well-known/security.txt").text
        assert interrupted(process) == 0

    assert f"Canonical: {chosen or f'http://localhost:{port}'}/.well-known" in text


def test_where_localhost_is_another_program_it_prints_the_ip_address(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET6) as occupied:
        try:
            occupied.bind(("::1", 0))
        except OSError:
            pytest.skip("This machine has no IPv6.")
        occupied.listen()
        port: int = occupied.getsockname()[1]
        with demo(tmp_path, port) as process:
            text = printed(tmp_path)
            assert interrupted(process) == 0

    assert url_of(text) == f"http://127.0.0.1:{port}"


def exports(text: str) -> dict[str, str]:
    """The variables that the demo proposes to set."""
    return dict(re.findall(r"^ +export (\w+)=(.+)$", text, re.MULTILINE))


def url_of(text: str) -> str:
    (address,) = re.findall(r"(http://[^/\s]+)/admin/", text)
    return str(address)


def test_it_logs_json_and_no_secret(tmp_path: Path) -> None:
    with demo(tmp_path, free_port(), LOG_LEVEL="INFO") as process:
        text = printed(tmp_path)
        secret = re.findall(r"sig_live_[0-9A-Za-z]{40}", text)[0]
        address = url_of(text)
        httpx.get(f"{address}/v1/{secret}", headers={"User-Agent": secret, "X-Key": secret})
        httpx.get(f"{address}/nothing?key={secret}", headers={"Authorization": secret})
        assert interrupted(process) == 0
    logged = [json.loads(line) for line in printed(tmp_path).splitlines() if line[:1] == "{"]

    assert {line["status"] for line in logged if line["event"] == "request"} >= {200, 404}
    assert secret not in json.dumps(logged)


def test_ctrl_c_ends_it_quietly_every_time(tmp_path: Path) -> None:
    """A terminal signals every process of the demo, and its main process the workers after that."""
    for _ in range(5):
        with demo(tmp_path, free_port()) as process:
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(WAIT) == 0
        text = printed(tmp_path)

        assert "Killing" not in text
        assert "Traceback" not in text


def test_ctrl_c_while_it_prepares_ends_it_quietly(tmp_path: Path) -> None:
    variables = environment(VAR_DIR=str(tmp_path))
    del variables["ENV_FILE"]
    command = [sys.executable, "manage.py", "demo", "--port", str(free_port())]
    process = subprocess.Popen(
        command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + WAIT
    while not (tmp_path / "db.sqlite3").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=WAIT)

    assert process.returncode == 128 + signal.SIGINT
    assert "Traceback" not in errors


def test_a_second_one_on_the_same_file_is_refused(tmp_path: Path) -> None:
    with demo(tmp_path, free_port()) as process:
        address = url_of(printed(tmp_path))
        command = [sys.executable, "manage.py", "demo", "--port", str(free_port())]
        variables = environment(VAR_DIR=str(tmp_path))
        del variables["ENV_FILE"]
        second = subprocess.run(
            command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=WAIT
        )
        served = httpx.get(f"{address}/accounts/login/").status_code
        assert interrupted(process) == 0

    assert second.returncode == 1
    assert second.stderr.startswith("CommandError: A demo is already running on this database.")
    assert "VAR_DIR=" in second.stderr
    assert served == 200
    with demo(tmp_path, free_port()) as process:  # the file is free again
        assert interrupted(process) == 0


def test_a_terminal_without_unicode_does_not_stop_it(tmp_path: Path) -> None:
    with demo(tmp_path, free_port(), LC_ALL="POSIX", PYTHONUTF8="0") as process:
        shown = printed(tmp_path)
        assert interrupted(process) == 0

    assert "The API key is shown only once." in shown


def test_several_workers_are_refused_on_sqlite(tmp_path: Path) -> None:
    variables = {**GOOD_SECRETS, "DEMO_PASSWORD": "x", "VAR_DIR": str(tmp_path)}
    run = manage("demo", "--workers", "2", "--port", str(free_port()), **variables)

    assert run.returncode == 1
    assert run.stderr.startswith("CommandError: SQLite runs in one process.")


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_an_address_that_cannot_be_used_is_refused(host: str, tmp_path: Path) -> None:
    variables = {**GOOD_SECRETS, "DEMO_PASSWORD": "x", "VAR_DIR": str(tmp_path)}
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", 0))
        occupied.listen()
        port = str(occupied.getsockname()[1])
        run = manage("demo", "--host", host, "--port", port, **variables)

    assert run.returncode == 1
    assert f"{host}:{port} cannot be used" in run.stderr
    assert "Choose another port" in run.stderr
    assert not (tmp_path / "db.sqlite3").exists()


def test_it_does_not_fill_the_database_of_another_installation(tmp_path: Path) -> None:
    variables = {**GOOD_SECRETS, "ENV_FILE": os.devnull, "VAR_DIR": str(tmp_path)}
    run = manage("demo", "--port", str(free_port()), **variables)

    assert run.returncode == 1
    assert run.stderr.startswith("CommandError: The demo uses settings of its own.")
    assert not (tmp_path / "db.sqlite3").exists()

"""Runs the steps of the Dockerfile in a folder, without a container engine."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from config.env import ROOT
from tests.reliability.live.conftest import free_port
from tests.support.processes import GOOD_SECRETS, environment

BUILD, _, IMAGE = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")
#: Then the files, which are another user's, are open as far as they are to everyone.
WITHOUT_RIGHTS: Final = (
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
)
_OTHER_USER: Final = 10001


def _words(instruction: str, text: str) -> list[str]:
    """The command that an instruction gives as a list."""
    words: list[str] = json.loads(
        re.findall(rf"^ *{instruction} (\[.*\])$", text, re.MULTILINE)[-1]
    )
    return words


def _as_user(command: list[str], app: Path, **variables: str) -> dict[str, Any]:
    """How the image would start a command.

    Python itself may be root's alone here, so root gives up its rights instead of its name.
    """
    env = environment(**GOOD_SECRETS, **variables, PATH=_path(), PYTHONDONTWRITEBYTECODE="1")
    return {"args": [*WITHOUT_RIGHTS, *command], "cwd": app, "env": env}


def _path() -> str:
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def _copy(source: str, target: Path, mode: int) -> None:
    """What the engine is sent of a folder, with the modes of a checkout under a umask of 077."""
    sent = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert source.split("/")[0] in sent, f"{source} is not sent to the engine"
    for name in subprocess.check_output(
        ["git", "ls-files", source], cwd=ROOT, text=True
    ).splitlines():
        file = target / Path(name).relative_to(source) if name != source else target
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, file)
        file.chmod(mode or stat.S_IRUSR | stat.S_IWUSR)


@pytest.fixture(scope="module")
def app() -> Iterator[Path]:
    """The folder of the application as the build leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        app = Path(folder) / "app"
        app.mkdir()
        Path(folder).chmod(0o755)
        for options, source, target in re.findall(r"^COPY ((?:--\S+ )*)(\S+) (\S+)$", BUILD, re.M):
            (mode,) = re.findall(r"--chmod=(\d+)", options) or ["0"]
            _copy(source, app / target, int(mode, 8))
        (run,) = re.findall(r"^RUN (env .*collectstatic(?:.*\\\n)*.*)$", BUILD, re.MULTILINE | re.S)
        variables = {"PATH": _path(), "PYTHONDONTWRITEBYTECODE": "1", "ENV_FILE": os.devnull}
        subprocess.run(["sh", "-ec", run], cwd=app, env=variables, check=True, capture_output=True)
        if WITHOUT_RIGHTS:
            for path in [app, *app.rglob("*")]:
                os.chown(path, _OTHER_USER, -1)
        yield app


def test_the_build_has_no_tests_and_keeps_no_secret(app: Path) -> None:
    names = {path.name for path in app.iterdir()}

    assert names == {
        *("manage.py", "requirements", "config", "core", "organizations", "apikeys"),
        *("templates", "static", "var"),
    }
    assert {path.name for path in (app / "var").iterdir()} == {"static"}


def test_its_user_starts_it_and_changes_nothing_in_it(app: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in app.rglob("*")}
    port = str(free_port())
    with tempfile.TemporaryDirectory() as data:
        variables = {
            "DATABASE_URL": f"sqlite:///{data}/db.sqlite3",
            "ALLOWED_HOSTS": "keys.example.com",
            "TRUSTED_PROXIES": "127.0.0.1",
            "GRANIAN_WORKERS": "1",
            "GRANIAN_BLOCKING_THREADS": "2",
        }
        migrate = ["python", "manage.py", "migrate", "--no-input"]
        subprocess.run(**_as_user(migrate, app, **variables), check=True, capture_output=True)
        words = [word.replace("8000", port) for word in _words("CMD", IMAGE)]
        with (tmp_path / "server.log").open("wb") as log:
            server = subprocess.Popen(**_as_user(words, app, **variables), stdout=log, stderr=log)
        try:
            _wait_until_healthy(app, port, variables)
            page = _get(f"http://127.0.0.1:{port}/accounts/login/")
            status = Path(f"/proc/{server.pid}/status").read_text()
        finally:
            server.terminate()
            server.wait(30)
    assert "Sign in" in page
    assert _get_nothing_from(port)
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert {path: path.stat().st_mtime_ns for path in app.rglob("*")} == before


def _wait_until_healthy(app: Path, port: str, variables: dict[str, str]) -> None:
    """By the health check of the image."""
    check = [word.replace("8000", port) for word in _words("CMD", IMAGE.partition("\nCMD")[0])]
    deadline = time.monotonic() + 60
    while subprocess.run(**_as_user(check, app, **variables), capture_output=True).returncode:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _get(url: str) -> str:
    headers = {"Host": "keys.example.com", "X-Forwarded-Proto": "https"}
    with urlopen(Request(url, headers=headers), timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def _get_nothing_from(port: str) -> bool:
    """Whether the server has ended, all of it."""
    try:
        urlopen(f"http://127.0.0.1:{port}/livez", timeout=5)
    except URLError:
        return True
    return False

"""Runs the guide's examples unchanged, in each language, against a real server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from apikeys.guide.examples import EXAMPLES, LANGUAGES
from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization
from tests.reliability.live.conftest import Server, server
from tests.support.api import MakeKey

__all__ = ["server"]
#: Language → the file's name, the command that runs it, and what has to be installed for it.
RUNNERS = {
    "curl": ("example.sh", ["sh"], "curl"),
    "JavaScript": ("example.mjs", ["node"], "node"),
    "Python": ("example.py", [sys.executable], ""),
    "Go": ("main.go", ["go", "run"], "go"),
}
#: Statuses of the examples that do not answer 200.
CREATED = {"create": 201, "workspace": 201}


def _require(language: str) -> None:
    tool = RUNNERS[language][2]
    missing = tool and shutil.which(tool) is None
    if missing:
        pytest.skip(f"{tool} is not there; the examples in {language} need it")


def _run(language: str, text: str, folder: Path, key: Issued) -> str:
    name, command, _ = RUNNERS[language]
    if language == "curl":
        text += ' -sS -w "\\n%{http_code}"'
    (folder / name).write_text(text)
    environment = {
        **os.environ,
        "API_KEY": key.secret,
        "NO_PROXY": "127.0.0.1",
        "GOCACHE": str(folder / "cache"),
    }
    run = subprocess.run(
        [*command, name],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_they_run(
    server: Server,
    manager: Issued,
    acme: Organization,
    make_key: MakeKey,
    tmp_path: Path,
    language: str,
) -> None:
    _require(language)
    target, second = make_key(name="Target"), make_key(name="Second")

    for name, example in EXAMPLES.items():
        key_id = (second if name == "revoke_many" else target).key.public_id
        url = example.url(server.address, acme.public_id, key_id)
        text = LANGUAGES[language](example.about(key_id), url)
        told = _run(language, text, tmp_path, manager)
        assert str(CREATED.get(name, 200)) in (told.split()[0], told.split()[-1]), (name, told)

    names = set(ApiKey.objects.values_list("name", flat=True))
    assert {"Analytics Dashboard", "CI", "CI/CD Pipeline Key"} <= names
    target.key.refresh_from_db()
    assert target.key.description == "Charts of the start page"
    assert target.key.revoked_at is not None
    second.key.refresh_from_db()
    assert second.key.revoked_at is not None
    assert target.key.secrets.count() == 2

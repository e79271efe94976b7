"""The search for leaked secrets finds each planted secret, and reports it without showing it."""

import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest

from apikeys import tokens
from config.env import ROOT
from tests.reliability.live.conftest import database_url
from tests.security.canary.needles import Needles
from tests.support.domain import SECRET
from tests.support.processes import environment

HIDDEN = SECRET.removeprefix(tokens.displayed_prefix(SECRET))
PLANTED = Path(__file__).with_name("planted.py.txt")
CLEAN = 2


FORMS = {
    "whole": SECRET,
    "random": HIDDEN,
    "its start": HIDDEN[:24],
    "its end": HIDDEN[-24:],
    "hexadecimal": SECRET.encode().hex(),
    "in capitals": SECRET.encode().hex().upper(),
    "base64": f"Basic {b64encode(SECRET.encode()).decode()}",
    "base64 after a byte": b64encode(f":{SECRET}:".encode()).decode(),
    "base64 after two": b64encode(f"::{SECRET}:".encode()).decode(),
    "bytes in a list": repr({"deep": [SECRET.encode()]}),
}


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_found_in_each_form(form: str, before: str) -> None:
    (needles := Needles()).add(tokens.generate("sig", tokens.Environment.LIVE))
    number = needles.add(SECRET)

    assert needles.found_in(f"{before}{form}{before}".encode()) == {number}
    assert needles.found_in(f"{before} {form} {before}".encode()) == {number}


def test_what_may_be_shown_is_no_find() -> None:
    (needles := Needles()).add(SECRET)

    assert needles.found_in(f"{SECRET[:30]} {HIDDEN[:19]} {HIDDEN[1:20]}".encode()) == set()
    assert needles.prefixes({0}) == f"{tokens.displayed_prefix(SECRET)}…"


@pytest.mark.django_db
def test_each_planted_secret_fails_the_test_that_planted_it(tmp_path: Path) -> None:
    planted = tmp_path / "test_planted.py"
    planted.write_text(PLANTED.read_text())
    names = re.findall(r"def (test_\w+)", PLANTED.read_text())
    run = _run(planted, "--secrets", "1")

    failed = dict(re.findall(r"^ERROR \S*::(test_\w+) - (.*)$", run.stdout, re.MULTILINE))
    assert sorted(failed) == sorted(names[CLEAN:]), run.stdout + run.stderr
    assert f"{len(names)} passed, {len(names) - CLEAN} errors" in run.stdout
    for name, told in failed.items():
        place = re.sub("_(as|a_stream).*", "", name.removeprefix("test_in_")).replace("_", " ")
        assert re.search(rf"found: sig_live_\w{{4}}… in {place}", told), told


@pytest.mark.django_db
def test_too_few_secrets_fail_a_run(tmp_path: Path) -> None:
    (tmp_path / "test_few.py").write_text("def test_nothing() -> None:\n    pass\n")

    run = _run(tmp_path / "test_few.py", "--secrets", "1")

    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    assert "1 passed" in run.stdout
    assert "At least 1 were to be issued." in run.stdout


def _run(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The file's tests in a pytest and on a database of their own."""
    (file.parent / "conftest.py").write_text("from tests.conftest import *\n")
    arguments = ["-c", "pyproject.toml", "--rootdir", ".", "-p", "no:cacheprovider", "-rfE"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, *options, str(file)],
        cwd=ROOT,
        env=environment(
            DATABASE_URL=database_url(),
            DJANGO_SETTINGS_MODULE="config.settings.test",
            VAR_DIR=str(file.parent / "var"),
            COLUMNS="300",
        ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

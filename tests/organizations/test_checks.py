"""ATOMIC_REQUESTS is rejected by `manage.py check` and by the server."""

import subprocess
import sys
from pathlib import Path

import pytest

from config.env import ROOT
from organizations.checks import ATOMIC_REQUESTS_ID
from tests.support.processes import GOOD_SECRETS, environment, manage


@pytest.fixture
def atomic(tmp_path: Path) -> dict[str, str]:
    """The environment of an operator who asks for a transaction around each request."""
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}?atomic_requests=true"
    settings = "config.settings.test"
    return {**GOOD_SECRETS, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": settings}


@pytest.fixture
def usual(atomic: dict[str, str]) -> dict[str, str]:
    """The same without it."""
    return {**atomic, "DATABASE_URL": atomic["DATABASE_URL"].partition("?")[0]}


def _start(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_system_check_names_it(atomic: dict[str, str], usual: dict[str, str]) -> None:
    refused, accepted = manage("check", **atomic), manage("check", **usual)

    assert (refused.returncode, accepted.returncode) == (1, 0), accepted.stderr
    assert ATOMIC_REQUESTS_ID in refused.stderr
    assert "Remove ATOMIC_REQUESTS" in refused.stderr


def test_the_server_does_not_start_with_it(atomic: dict[str, str], usual: dict[str, str]) -> None:
    refused, accepted = _start(atomic), _start(usual)

    assert (refused.returncode, accepted.returncode) == (1, 0), accepted.stderr
    assert "ImproperlyConfigured" in refused.stderr
    assert "sets ATOMIC_REQUESTS" in refused.stderr

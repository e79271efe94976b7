"""Faults that make an installation not ready before its first request, and the reasons shown."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from tests.reliability.live.conftest import database_url
from tests.support.processes import GOOD_SECRETS, manage

READY = """
import json
from django.test import Client
from config.health import readyz
answer = Client().get("/readyz")
print(json.dumps([answer.status_code, answer.json()["checks"]]))
"""
PLAIN = {"DJANGO_SETTINGS_MODULE": "config.settings.base", "ALLOWED_HOSTS": "testserver"}
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")


@pytest.fixture
def variables(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Those of an installation that was never set up, on a database of its own."""
    with new_database(tmp_path) as url:
        yield {**GOOD_SECRETS, **PLAIN, "VAR_DIR": str(tmp_path), "DATABASE_URL": url}


@contextmanager
def new_database(folder: Path, encoding: str = "UTF8") -> Iterator[str]:
    """The URL of an empty database."""
    if connection.vendor == "sqlite":
        yield f"sqlite:///{folder / 'empty.sqlite3'}"
        return
    name, server = f"latchkey_{uuid4().hex}", database_url()
    locale = "TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    with psycopg.connect(server, autocommit=True) as operator:
        operator.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' {locale}")
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            operator.execute(f"DROP DATABASE {name} WITH (FORCE)")


def ready(**variables: str) -> tuple[int, dict[str, Any], str]:
    """The status and the checks of `/readyz` in a process of its own, and its log."""
    run = manage("shell", "--verbosity=0", "-c", READY, **variables)
    assert run.returncode == 0, run.stderr
    status, checks = json.loads(run.stdout)
    return status, checks, run.stderr


@pytest.mark.usefixtures("committed")
def test_it_is_not_ready_before_migrate_and_collectstatic(variables: dict[str, str]) -> None:
    status, checks, log = ready(**variables)
    assert (status, checks["database"], checks["static_files"]) == (503, "not_migrated", "missing")
    assert "Run “manage.py migrate”." in _hints(log)
    assert "collectstatic" in _hints(log)

    assert manage("migrate", **variables).returncode == 0
    status, checks, _ = ready(**variables)
    assert (status, checks["database"], checks["static_files"]) == (503, "ok", "missing")

    assert manage("collectstatic", "--no-input", **variables).returncode == 0
    status, checks, log = ready(**variables)
    assert (status, checks["database"], checks["static_files"]) == (200, "ok", "ok")
    assert not _hints(log)


@pytest.mark.usefixtures("committed")
def test_it_is_not_ready_on_the_schema_of_an_earlier_version(variables: dict[str, str]) -> None:
    assert manage("migrate", **variables).returncode == 0
    assert manage("migrate", "organizations", "0004", **variables).returncode == 0

    status, checks, _ = ready(**variables)

    assert (status, checks["database"]) == (503, "not_migrated")


@pytest.mark.usefixtures("committed")
def test_it_is_not_ready_without_a_file_that_came_with_an_update(
    variables: dict[str, str], tmp_path: Path
) -> None:
    assert manage("migrate", **variables).returncode == 0
    assert manage("collectstatic", "--no-input", **variables).returncode == 0
    manifest = tmp_path / "static/staticfiles.json"
    collected = json.loads(manifest.read_text())
    del collected["paths"]["css/base.css"]
    manifest.write_text(json.dumps(collected))

    status, checks, _ = ready(**variables)

    assert (status, checks["static_files"]) == (503, "missing")


@on_postgresql
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_an_encoding_without_every_character_is_refused(tmp_path: Path, encoding: str) -> None:
    with new_database(tmp_path, encoding) as url:
        variables = {**GOOD_SECRETS, **PLAIN, "VAR_DIR": str(tmp_path), "DATABASE_URL": url}
        migrated = manage("migrate", **variables)
        _, checks, log = ready(**variables)
        with psycopg.connect(url) as operator:
            tables = operator.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            assert tables.fetchone() == (0,)

    assert migrated.returncode == 1
    assert f"has the encoding {encoding}" in migrated.stderr
    assert "ENCODING 'UTF8'" in migrated.stderr
    assert checks["database"] == "not_utf8"
    assert "ENCODING 'UTF8'" in _hints(log)


def _hints(log: str) -> str:
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return " ".join(line["hint"] for line in lines if line["event"] == "not_ready")

"""Backs up a SQLite file completely while others write to it."""

import sqlite3
import stat
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from apikeys.services import Issued
from tests.reliability.live.conftest import database_url
from tests.support.processes import GOOD_SECRETS, manage

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own")


@pytest.fixture
def variables(committed: None, tmp_path: Path) -> dict[str, str]:
    """Those of a command on the database of the tests."""
    return {**GOOD_SECRETS, "VAR_DIR": str(tmp_path), "DATABASE_URL": database_url()}


def keys(file: Path) -> set[str]:
    """The names of the keys in a file of SQLite."""
    with closing(sqlite3.connect(file)) as database:
        return {name for (name,) in database.execute("SELECT name FROM apikeys_apikey")}


@on_sqlite
def test_it_has_what_only_the_write_ahead_log_holds(
    variables: dict[str, str], make_key: Callable[..., Issued], tmp_path: Path
) -> None:
    make_key(name="Earlier")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    make_key(name="Newest")
    plain, whole = tmp_path / "plain.sqlite3", tmp_path / "whole.sqlite3"
    # By a process of its own: closing a file of SQLite gives up all locks of a process.
    subprocess.run(["cp", connection.settings_dict["NAME"], str(plain)], check=True)

    run = manage("backup", str(whole), **variables)

    assert run.returncode == 0, run.stderr
    assert str(whole) in run.stdout
    assert keys(plain) == {"Earlier"}
    assert keys(whole) == {"Earlier", "Newest"}
    assert stat.S_IMODE(whole.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("whole*")] == ["whole.sqlite3"]


@on_sqlite
def test_no_test_opens_the_file_beside_sqlite(db: None) -> None:
    with pytest.raises(RuntimeError, match="in a process of its own"):
        Path(connection.settings_dict["NAME"]).read_bytes()


@on_sqlite
def test_an_existing_file_is_left_as_it_is(variables: dict[str, str], tmp_path: Path) -> None:
    target = tmp_path / "backup.sqlite3"
    target.write_text("yesterday's")

    run = manage("backup", str(target), **variables)

    assert run.returncode == 1
    assert f"{target} exists." in run.stderr
    assert target.read_text() == "yesterday's"


@on_sqlite
def test_a_folder_that_does_not_exist_is_named(variables: dict[str, str], tmp_path: Path) -> None:
    run = manage("backup", str(tmp_path / "nowhere/backup.sqlite3"), **variables)

    assert run.returncode == 1
    assert run.stderr.startswith("CommandError: ")
    assert "nowhere" in run.stderr


@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own")
def test_postgresql_has_a_tool_of_its_own(variables: dict[str, str], tmp_path: Path) -> None:
    run = manage("backup", str(tmp_path / "backup"), **variables)

    assert run.returncode == 1
    assert "pg_dump" in run.stderr
    assert not (tmp_path / "backup").exists()

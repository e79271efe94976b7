"""The exit code is correct if a command's output can't be written, or not in every character.

Each command runs as a separate process, on a database file that no other test uses.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from django.core.management import get_commands

from config.env import ROOT
from tests.support.processes import GOOD_SECRETS, environment, manage

SHELL_NAME = "Zoë’s “shop”"
ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@dataclass(frozen=True)
class Row:
    """A command, its exit code where standard output is lost, what it says, and what has happened.

    `done` is a query for the number of rows that the command has made or changed.
    """

    arguments: tuple[str, ...]
    code: int
    says: str
    done: str = "SELECT 1"
    ascii_shows: str = ""


GONE = "gone@acme.example"
KEY_REVOKED = "SELECT count(*) FROM apikeys_apikey WHERE name = 'New' AND revoked_at IS NOT NULL"
MADE = "SELECT count(*) FROM organizations_organization WHERE name = 'New'"
CREATE = ("create_api_key", "--organization", "acme", "--name", "New")
FOUND = ("create_organization", "New", "--admin-email", "new@acme.example")
TABLE = {
    "create_api_key": Row(CREATE, 1, "was revoked. Create another one.", KEY_REVOKED, "key_"),
    "create_api_key --json": Row(
        (*CREATE, "--json"), 1, "was revoked. Create another one.", KEY_REVOKED, "key_"
    ),
    "create_organization": Row(
        FOUND, 1, "manage.py changepassword new@acme.example", MADE, "admin_password"
    ),
    "create_organization, password given": Row(
        (*FOUND, "--admin-password", "one-of-my-own-choice"), 0, "was created.", MADE, "slug: new"
    ),
    "revoke_api_key": Row(
        ("revoke_api_key", "{key}"),
        0,
        "was revoked at",
        "SELECT count(*) FROM apikeys_apikey WHERE revoked_at IS NOT NULL",
        '"Zo\\xeb\'s "shop"" was revoked at',
    ),
    "prune_usage": Row(
        ("prune_usage",),
        0,
        "Done: 1 rows older",
        "SELECT count(*) = 0 FROM apikeys_keyusage",
        "Done: 1 rows",
    ),
    "maintain": Row(
        ("maintain",),
        0,
        "rows of usage: 1 removed.",
        "SELECT count(*) = 0 FROM apikeys_keyusage",
        "rows of usage: 1 removed.",
    ),
    "backup": Row(("backup", "{folder}"), 0, "Copied the database to", ascii_shows="Copied"),
    "export_person": Row(
        ("export_person", "ada@acme.example"), 1, "could not be written", ascii_shows="ada@acme"
    ),
    "forget_person": Row(
        ("forget_person", GONE, "--yes"),
        0,
        "Done: Former person",
        f"SELECT count(*) = 0 FROM organizations_user WHERE email = '{GONE}'",
        "Done: Former person",
    ),
    "reseal_second_factors": Row(("reseal_second_factors",), 0, "Already up to date: 0."),
    "report_peppers": Row(("report_peppers",), 1, "could not be written", ascii_shows="newest"),
    "generate_secrets": Row(
        ("generate_secrets",), 1, "could not be written", ascii_shows="SECRET_KEY="
    ),
    "write_schemas": Row(("write_schemas", "{folder}"), 0, ""),
    # Both are Django's; the exit code tells of the output, and the change is made.
    "createsuperuser": Row(
        ("createsuperuser", "--noinput", "--email", "sam@acme.example"),
        1,
        "could not be written",
        "SELECT count(*) FROM organizations_user WHERE email = 'sam@acme.example'",
        "Superuser created",
    ),
    "migrate": Row(("migrate",), 1, "could not be written", ascii_shows="No migrations to apply"),
    "demo": Row(("demo", "--port", "1"), 1, ""),
}
ROWS = pytest.mark.parametrize("name", TABLE)


@dataclass(frozen=True)
class Place:
    """A folder with a database in it, and a key that is not revoked."""

    var: Path
    key: str

    @property
    def variables(self) -> dict[str, str]:
        password = {"DJANGO_SUPERUSER_PASSWORD": "one-of-my-own-choice"}
        no_server = {"EMAIL_URL": "memorymail://"}  # it would complain on standard error
        return {**GOOD_SECRETS, **password, **no_server, "VAR_DIR": str(self.var)}

    def command(self, name: str) -> list[str]:
        filled = {"{key}": self.key, "{folder}": str(self.var / "schemas")}
        arguments = [filled.get(argument, argument) for argument in TABLE[name].arguments]
        return [sys.executable, "manage.py", *arguments]

    def ask(self, query: str) -> Any:
        with sqlite3.connect(next(self.var.glob("*.sqlite3"))) as database:
            return database.execute(query).fetchone()[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A database with one organization, one key and one old hour of usage."""
    var = tmp_path_factory.mktemp("output")
    variables = {**GOOD_SECRETS, "VAR_DIR": str(var)}
    assert manage("migrate", "--verbosity", "0", **variables).returncode == 0
    manage("create_organization", "Acme", "--admin-email", "ada@acme.example", **variables)
    created = manage(
        *("create_api_key", "--organization", "acme", "--json", "--name", SHELL_NAME), **variables
    )
    place = Place(var, json.loads(created.stdout)["id"])
    variables["DJANGO_SUPERUSER_PASSWORD"] = "one-of-my-own-choice"
    manage("createsuperuser", "--noinput", "--email", GONE, **variables)
    with sqlite3.connect(next(var.glob("*.sqlite3"))) as database:
        database.execute(
            "UPDATE organizations_user SET is_staff = 0, is_superuser = 0 WHERE email = ?", [GONE]
        )
        database.execute(
            "INSERT INTO apikeys_keyusage (key_id, hour, result, requests)"
            " SELECT id, '2020-01-01 00:00:00', 'ok', 1 FROM apikeys_apikey"
        )
    return place


@pytest.fixture
def place(made: Place, tmp_path: Path) -> Place:
    shutil.copytree(made.var, tmp_path / "var")
    return Place(tmp_path / "var", made.key)


def _run(command: list[str], variables: dict[str, str], stdout: IO[str] | int) -> tuple[int, str]:
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=variables,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    return run.returncode, run.stderr


def _full(command: list[str], variables: dict[str, str]) -> tuple[int, str]:
    with open("/dev/full", "w") as full:
        return _run(command, variables, full)


def _unread_pipe(command: list[str], variables: dict[str, str]) -> tuple[int, str]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        return _run(command, variables, pipe)


def _closed(command: list[str], variables: dict[str, str]) -> tuple[int, str]:
    shell = ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *command]
    return _run(shell, variables, subprocess.PIPE)


@pytest.mark.parametrize("lose", [_full, _unread_pipe, _closed])
@ROWS
def test_the_exit_code_is_true_where_standard_output_is_lost(
    name: str, lose: Callable[[list[str], dict[str, str]], tuple[int, str]], place: Place
) -> None:
    row = TABLE[name]

    code, said = lose(place.command(name), environment(**place.variables))

    assert (code, "Traceback" in said) == (row.code, False), said
    assert row.says in said
    assert place.ask(row.done) == 1
    assert "sig_live_" not in said
    assert "one-of-my-own-choice" not in said


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.ascii_shows])
def test_a_terminal_without_the_characters_shows_plain_ones(name: str, place: Place) -> None:
    row = TABLE[name]

    run = subprocess.run(
        place.command(name),
        cwd=ROOT,
        env=environment(**place.variables, **ASCII),
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, b"")
    assert row.ascii_shows in run.stdout.decode("ascii")
    assert place.ask(row.done) != (1 if row.code and "revoked" in row.says else 0)


def test_an_ascii_terminal_can_name_a_key_in_utf_8(place: Place) -> None:
    created = manage(
        *("create_api_key", "--organization", "acme", "--json", "--name", "Ünïcode"),
        **place.variables,
        **ASCII,
    )

    assert json.loads(created.stdout)["name"] == "Ünïcode"


@pytest.mark.parametrize(
    ("arguments", "place_of"),
    [
        ((*CREATE[:3], "--name", b"\xff"), "Argument 5 (--name)"),
        ((*CREATE[:3], b"--name=\xff"), "Argument 4 (--name)"),
        (("create_organization", b"\xff", "--admin-email", "a@acme.example"), "Argument 2 "),
        (("revoke_api_key", b"\xff"), "Argument 2 "),
        (("revoke_api_key", "{key}", "--reason", b"\xc3"), "Argument 4 (--reason)"),
        (("write_schemas", b"/tmp/\xff"), "Argument 2 "),
        (("createsuperuser", "--noinput", "--email", b"\xff@acme.example"), "Argument 4 (--email)"),
        ((b"\xff",), "Argument 1 "),
    ],
)
@pytest.mark.parametrize("locale", [{}, ASCII])
def test_bytes_that_are_no_text_are_refused_by_name(
    arguments: tuple[str | bytes, ...], place_of: str, locale: dict[str, str], place: Place
) -> None:
    filled = [place.key if argument == "{key}" else argument for argument in arguments]

    run = subprocess.run(
        [sys.executable, "manage.py", *filled],
        cwd=ROOT,
        env=environment(**place.variables, **locale),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert run.returncode == 2
    assert place_of in run.stderr
    assert run.stderr.endswith("is not UTF-8. Send it in UTF-8.\n")
    assert place.ask("SELECT count(*) FROM apikeys_apikey WHERE revoked_at IS NULL") == 1
    assert place.ask("SELECT count(*) FROM organizations_organization") == 1


def test_what_no_database_can_revoke_is_named(place: Place) -> None:
    """The key is made, the secret lost, and from then on nothing can be written."""
    with sqlite3.connect(next(place.var.glob("*.sqlite3"))) as database:
        database.execute(
            "CREATE TRIGGER no_revocation BEFORE UPDATE OF revoked_at ON apikeys_apikey"
            " WHEN NEW.revoked_at IS NOT NULL BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )

    code, said = _full(place.command("create_api_key"), environment(**place.variables))

    made = place.ask("SELECT count(*) FROM apikeys_apikey WHERE name = 'New'")
    assert (code, made, "Traceback" in said) == (1, 1, False), said
    assert "works. Revoke it: manage.py revoke_api_key key_" in said


def test_a_folder_that_cannot_be_written_is_named(place: Place) -> None:
    run = manage("write_schemas", "/dev/null/schemas", **place.variables)

    assert run.returncode == 1
    assert "Can't write the schemas into /dev/null/schemas: Not a directory" in run.stderr
    assert "Traceback" not in run.stderr


def _own() -> Iterator[str]:
    """The commands of the project, `manage.py generate_secrets` aside."""
    return (n for n, app in get_commands().items() if app in ("organizations", "apikeys", "config"))


@pytest.mark.parametrize("name", [*_own(), "generate_secrets"])
def test_every_command_has_a_row(name: str) -> None:
    assert name in {row.arguments[0] for row in TABLE.values()}

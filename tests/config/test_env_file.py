"""Lines of a settings file that would be skipped prevent the start, and are not printed."""

from pathlib import Path

import pytest

from tests.support.processes import GOOD_SECRETS, manage

SECRET = "hidden-from-every-output-" * 3
GOOD_LINES = "".join(f"{name}={value}\n" for name, value in GOOD_SECRETS.items())
PRINT_NAME = "from django.conf import settings; print(settings.SITE_NAME)"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (f"SECRET_KEY = {SECRET}", " (SECRET_KEY)"),
        (f"SECRET_KEY ={SECRET}", " (SECRET_KEY)"),
        (f"SECRET_KEY= {SECRET}", " (SECRET_KEY)"),
        (f"SECRET_KEY={SECRET} ", " (SECRET_KEY)"),
        (f" SECRET_KEY={SECRET}", " (SECRET_KEY)"),
        (f"\tSECRET_KEY={SECRET}", " (SECRET_KEY)"),
        (f"export  SECRET_KEY={SECRET}", " (SECRET_KEY)"),
        (f"DATABASE_URL = postgres://name:{SECRET}@127.0.0.1/name", " (DATABASE_URL)"),
        (f'SECRET_KEY="{SECRET}" # comment', " (SECRET_KEY)"),
        (f"SECRET_KEY='{SECRET}", " (SECRET_KEY)"),
        (f"SECRET_KEY={SECRET}\0", " (SECRET_KEY)"),
        (f"SECRET_KEY: {SECRET}", ""),
        (SECRET, ""),
        (f"set SECRET_KEY={SECRET}", ""),
    ],
)
def test_a_line_that_is_not_an_assignment_stops_the_start(
    line: str, named: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.env"
    file.write_text(f"# A comment\n\n{GOOD_LINES}{line}\n")
    run = manage("check", ENV_FILE=str(file), VAR_DIR=str(tmp_path))

    assert run.returncode == 1
    assert run.stderr.startswith(f"{file}, line 5{named}: ")
    assert len(run.stderr.splitlines()) == 1
    assert SECRET[:25] not in run.stdout + run.stderr
    assert not list(tmp_path.glob("*.sqlite3"))


@pytest.mark.parametrize("first", [GOOD_LINES, f"# A comment\n{GOOD_LINES}"])
def test_a_byte_order_mark_is_refused(first: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text(first, encoding="utf-8-sig")
    run = manage("check", ENV_FILE=str(file), VAR_DIR=str(tmp_path))

    assert run.returncode == 1
    assert run.stderr.startswith(f"{file}, line 1")
    assert len(run.stderr.splitlines()) == 1
    assert GOOD_SECRETS["SECRET_KEY"] not in run.stderr


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text(f"{GOOD_LINES}SITE_NAME=Schlüssel\n", encoding="latin-1")
    run = manage("check", ENV_FILE=str(file), VAR_DIR=str(tmp_path))

    assert run.returncode == 1
    assert run.stderr.splitlines() == [f"{file} isn't UTF-8 text. Save it as UTF-8."]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    run = manage("check", ENV_FILE=str(tmp_path), VAR_DIR=str(tmp_path), **GOOD_SECRETS)

    assert run.returncode == 1
    assert run.stderr.splitlines() == [f"{tmp_path} can't be read: Is a directory."]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("SITE_NAME=Plain words", "Plain words"),
        ("export SITE_NAME=Exported", "Exported"),
        ("SITE_NAME='In single quotes '", "In single quotes "),
        ('SITE_NAME=" In double quotes"', " In double quotes"),
        ("SITE_NAME=a=b#c", "a=b#c"),
        ("  # An indented comment\n \t\nSITE_NAME=After it\r", "After it"),
        ("SITE_NAME=", ""),
    ],
)
def test_assignments_comments_and_empty_lines_are_read(
    line: str, value: str, tmp_path: Path
) -> None:
    file = tmp_path / "settings.env"
    file.write_bytes(f"{GOOD_LINES}{line}\n".encode())

    run = manage(
        *("shell", "--verbosity=0", "-c", PRINT_NAME), ENV_FILE=str(file), VAR_DIR=str(tmp_path)
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout == f"{value}\n"
    assert run.stderr == ""

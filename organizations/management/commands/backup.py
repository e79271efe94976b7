"""Command that copies the SQLite database while the server runs."""

import os
import sqlite3
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from organizations.management.options import not_empty
from organizations.management.output import report


class Command(BaseCommand):
    """`backup FILE`. SQLite only."""

    help = "Copies the SQLite database to a new file. The server may be running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=not_empty, help="the file to write; must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError(
                "This command copies SQLite only. Back up PostgreSQL with pg_dump --format=custom"
                " or with continuous archiving."
            )
        target = Path(options["file"])
        _create(target)
        try:
            _copy(target)
        except sqlite3.Error as error:
            target.unlink()
            raise CommandError(f"{target} was not written: {error}.") from None
        except BaseException:  # such as Ctrl-C
            target.unlink()
            raise
        report(
            self.stdout,
            f"Copied the database to {target}. Store API_KEY_PEPPERS and SECRET_KEY separately.",
        )


def _create(target: Path) -> None:
    """Creates an empty file that only its owner can read."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise CommandError(f"{target} exists. Name a new file.") from None
    except OSError as error:
        raise CommandError(f"{target} can't be written: {error.strerror}.") from None


def _copy(target: Path) -> None:
    """Includes the write-ahead log, which a file copy would miss."""
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        # In one step, which doesn't block writers. In several, each write would restart it.
        connection.connection.backup(copy)
        # A copy in WAL mode would create more files when it is opened.
        copy.execute("PRAGMA journal_mode = DELETE")
        (state,) = copy.execute("PRAGMA quick_check").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)

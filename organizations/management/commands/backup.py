"""Copies SQLite's database while the server runs."""

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
    """`backup FILE`; for SQLite only."""

    help = "Writes a whole copy of SQLite's database to a new file, also while the server runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=not_empty, help="the file to write; must not exist")

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "sqlite":
            raise CommandError(
                "This copies SQLite only. Back up PostgreSQL with pg_dump --format=custom, or"
                " with continuous archiving."
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
            f"Copied the database to {target}."
            " Keep API_KEY_PEPPERS and SECRET_KEY in another place.",
        )


def _create(target: Path) -> None:
    """An empty file for its owner only, like the folder of the original."""
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise CommandError(f"{target} exists. Name a new file.") from None
    except OSError as error:
        raise CommandError(f"{target} can't be written: {error.strerror}.") from None


def _copy(target: Path) -> None:
    """Also what is in the write-ahead log only, which a copy of the file would lack."""
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        # In one step, which stops no writer; in several, each write would start it over.
        connection.connection.backup(copy)
        # One file: a copy in WAL mode would have files beside it when it is opened.
        copy.execute("PRAGMA journal_mode = DELETE")
        (state,) = copy.execute("PRAGMA quick_check").fetchone()
        if state != "ok":
            raise sqlite3.DatabaseError(state)

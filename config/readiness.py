"""Checks that this process can work. Each returns "ok" or the name of a fault for `/readyz`."""

from functools import cache
from typing import Final

import structlog
from django.conf import settings
from django.contrib.staticfiles.finders import FileSystemFinder
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from core.revocation_clock import store
from core.sqlite_writers import write_lock

OK: Final = "ok"
AWAY: Final = "away"
#: How to fix each fault that is not temporary, for the log.
_HINTS: Final = {
    "read_only": "The database is read-only. Point DATABASE_URL to the primary.",
    "not_utf8": "Create the database with ENCODING 'UTF8', and run “manage.py migrate” on it.",
    "not_migrated": "Run “manage.py migrate”.",
    "missing": "Run “manage.py collectstatic --no-input”, then restart the server.",
}
_log = structlog.get_logger(__name__)


class _Schema:
    """Whether this process has found all of its migrations applied.

    They are not checked again: reversing the last one, to return to an earlier version, must not
    take every process out of service at the same time.
    """

    complete = False


def database() -> str:
    """Checks that it responds, accepts writes, stores Unicode and has all tables."""
    try:
        fault = _postgresql() if connection.vendor == "postgresql" else _sqlite()
        return fault if fault != OK else _tables()
    except store.NoClock:
        return "not_migrated"
    except DatabaseError as error:
        return _fault_behind(error)


def _postgresql() -> str:
    settings = "current_setting('transaction_read_only'), current_setting('server_encoding')"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {settings}")
        read_only, encoding = cursor.fetchone()
    if encoding != "UTF8":
        return "not_utf8"
    return "read_only" if read_only == "on" else OK


def _sqlite() -> str:
    # Starting a write fails on a read-only file. Skipped while another thread writes.
    with write_lock(wait=False) as acquired:
        if acquired:
            with transaction.atomic():
                pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _tables() -> str:
    if not _Schema.complete:
        applied = MigrationRecorder(connection).applied_migrations()
        if not _newest_migrations() <= applied.keys():
            return "not_migrated"
        _Schema.complete = True
    store.current()
    return OK


@cache
def _newest_migrations() -> frozenset[tuple[str, str]]:
    """The last migration of each app. The ones before it are applied if it is."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _fault_behind(error: DatabaseError) -> str:
    # SQLite raises the same exception class for all faults.
    if isinstance(error, ProgrammingError) or "no such table" in str(error):
        return "not_migrated"
    return "read_only" if "readonly database" in str(error) else AWAY


@cache
def static_files() -> str:
    """Whether they were collected when this process started. Checked once."""
    collected: dict[str, str] | None = getattr(staticfiles_storage, "hashed_files", None)
    if settings.DEBUG or collected is None:
        return OK
    names = [name for name, _ in FileSystemFinder().list(())]
    found = (name in collected and staticfiles_storage.exists(collected[name]) for name in names)
    return OK if all(found) else "missing"


def log(check: str, fault: str) -> None:
    """Logs how to fix a fault, unless it is temporary."""
    if fault in _HINTS:
        _log.error("not_ready", check=check, reason=fault, hint=_HINTS[fault])

"""Triggers are installed after `migrate` while the application is running."""

import time

import pytest
from django.db import connection, transaction

from apikeys.triggers import TRIGGERS
from core import triggers
from tests.support.domain import at_once

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one lock, and nobody waits in a circle"
)
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock'"


def test_whoever_has_secrets_and_wants_keys_is_in_nobody_s_way(committed: None) -> None:
    """As the batch of last uses does; the triggers are of keys first, then of secrets."""
    assert [t.table for t in TRIGGERS].index("apikeys_apikey") < len(TRIGGERS) - 1

    def write_last_uses() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE apikeys_apikeysecret SET last_used_at = now()")
            _until_somebody_waits()
            cursor.execute("UPDATE apikeys_apikey SET last_used_at = now()")

    def install() -> None:
        time.sleep(0.2)  # the other has its lock by then, or there is nothing to see
        triggers.install(connection, TRIGGERS)

    assert at_once([write_last_uses, install]) == [None, None]


def _until_somebody_waits() -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(_WAITING)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waited for the table of secrets")

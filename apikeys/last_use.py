"""What a successful verification leaves behind, without ever delaying or failing a request."""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from apikeys import conf
from apikeys.models import ApiKey, ApiKeySecret
from apikeys.verification import FoundSecret
from organizations import writes
from organizations.actors import Origin

INTERVAL: Final = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


def note_use(found: FoundSecret, presented: str, origin: Origin) -> None:
    """Records time, address and user agent of a use, at most once a minute for each secret.

    The same visit moves the secret's digest to the newest pepper. If a row is locked or the
    database refuses, nothing is recorded and the next use tries again.
    """
    now = timezone.now()
    fresh = found.last_used_at is not None and found.last_used_at > now - INTERVAL
    if fresh and found.pepper == conf.peppers().newest:
        return
    try:
        with writes.turn(wait=False) as mine:
            if mine:
                _write_at_once(found, presented, origin)
    except DatabaseError as error:
        # The first line only: PostgreSQL adds the failing row, digest included.
        reason = str(error).partition("\n")[0]
        _log.warning("last_use_not_recorded", key_id=str(found.key_id), reason=reason)


def _write_at_once(found: FoundSecret, presented: str, origin: Origin) -> None:
    now = timezone.now()
    with _without_waiting(), transaction.atomic(), writes.allowed():
        _note_secret(found, presented, now)
        _note_key(found, origin, now)


def _note_secret(found: FoundSecret, presented: str, now: datetime) -> None:
    """During a rotation this tells whether the older secret is still in use."""
    peppers = conf.peppers()
    mine = ApiKeySecret.objects.filter(pk=found.secret_id)
    if not mine.select_for_update(skip_locked=True).values_list("pk").first():
        return
    mine.filter(_due(now)).update(last_used_at=now)
    if found.pepper != peppers.newest:
        digest = peppers.digest(presented, peppers.newest)
        mine.filter(pepper=found.pepper).update(pepper=peppers.newest, digest=digest)


def _note_key(found: FoundSecret, origin: Origin, now: datetime) -> None:
    mine = ApiKey.objects.filter(_due(now), pk=found.key_id)
    if mine.select_for_update(skip_locked=True, no_key=True).values_list("pk").first():
        mine.update(
            last_used_at=now, last_used_ip=origin.ip, last_used_user_agent=origin.user_agent
        )


def _due(now: datetime) -> Q:
    """Rows that were not noted within the interval, nor by a clock that is ahead."""
    return Q(last_used_at=None) | Q(last_used_at__lte=now - INTERVAL)


@contextlib.contextmanager
def _without_waiting() -> Iterator[None]:
    """SQLite waits seconds for another writer by default; a last-used time is not worth it."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        before = cursor.execute("PRAGMA busy_timeout").fetchone()[0]
        cursor.execute("PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {before:d}")

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
    with _without_waiting(), transaction.atomic(), writes.allowed():
        if _have_both(found):
            _write(found, presented, origin, timezone.now())


def _have_both(found: FoundSecret) -> bool:
    """Locks the secret and its key, unless somebody else holds one of them."""
    secrets = ApiKeySecret.objects.select_for_update(skip_locked=True)
    keys = ApiKey.objects.select_for_update(skip_locked=True, no_key=True)
    return bool(
        secrets.filter(pk=found.secret_id).values_list("pk")
        and keys.filter(pk=found.key_id).values_list("pk")
    )


def _write(found: FoundSecret, presented: str, origin: Origin, now: datetime) -> None:
    """The secret's own use tells, while a rotation runs, whether the older one is still needed."""
    secret = ApiKeySecret.objects.filter(pk=found.secret_id)
    secret.filter(_due(now)).update(last_used_at=now)
    ApiKey.objects.filter(_due(now), pk=found.key_id).update(
        last_used_at=now, last_used_ip=origin.ip, last_used_user_agent=origin.user_agent
    )
    peppers = conf.peppers()
    if found.pepper != peppers.newest:
        digest = peppers.digest(presented, peppers.newest)
        secret.filter(pepper=found.pepper).update(pepper=peppers.newest, digest=digest)


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

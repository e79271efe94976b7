"""Records last-used time, IP address and user agent. Never delays or fails a request.

A use is successful if the request was not refused: the key was valid, had the scope, and was within
its limits. Refused requests are counted by reason in `KeyUsage`.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, transaction

from apikeys import conf
from apikeys.models import ApiKey, ApiKeySecret
from apikeys.usage import bulk_sql
from apikeys.verification.types import VerifiedKey
from core import transactions
from core.actors import RequestContext
from core.ids import public_id
from core.redaction import first_line
from core.sqlite_writers import write_lock

INTERVAL: Final = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a secret. `digest` is the secret's under the newest pepper.

    A refused request is not a last use, but the secret still has to move to the newest pepper.
    """

    found: VerifiedKey
    origin: RequestContext
    at: datetime
    digest: bytes = field(repr=False)
    successful: bool = True

    @property
    def is_due(self) -> bool:
        """Whether there is something to record, according to the row that was read."""
        if not self.successful:
            return self.moves
        last = self.found.last_used_at
        return last is None or last <= self.at - INTERVAL or self.moves

    @property
    def moves(self) -> bool:
        """Whether the secret has to move to the newest pepper."""
        return self.found.pepper != conf.peppers().newest


def record(uses: Sequence[Use], *, wait: bool = True) -> set[UUID]:
    """Records successful uses, at most once a minute per secret. Returns the IDs of those visited.

    Also re-hashes secrets under the newest pepper. Skips locked rows, which the next use updates.
    Logs database errors instead of raising them. Without `wait`, does nothing while another thread
    is writing to SQLite.
    """
    try:
        with write_lock(wait=wait) as mine:
            return _record_at_once(uses) if mine else set()
    except DatabaseError as error:
        keys = sorted({public_id("key", use.found.key_id) for use in uses})
        _log.warning(
            "last_use_not_recorded", keys=len(keys), key_id=keys[0], reason=first_line(error)
        )
        return set()


def _record_at_once(uses: Sequence[Use]) -> set[UUID]:
    with _without_waiting(), transaction.atomic(), transactions.allowed():
        free = _free(uses)
        mine = [use for use in uses if use.found.secret_id in free and use.found.key_id in free]
        good = [use for use in mine if use.successful]
        bulk_sql.note_secrets([(use.found.secret_id, use.at) for use in good], INTERVAL)
        bulk_sql.note_keys(
            [(u.found.key_id, u.at, u.origin.ip, u.origin.user_agent) for u in good], INTERVAL
        )
        for use in mine:
            if use.moves:
                _move(use)
        return {use.found.secret_id for use in mine}


def _free(uses: Sequence[Use]) -> set[UUID]:
    """Locks the secrets and their keys, and returns the IDs of those that were not already locked.

    Locks in the order of their IDs, so that two processes do not wait for each other.
    """
    secrets = ApiKeySecret.objects.select_for_update(skip_locked=True).order_by("pk")
    keys = ApiKey.objects.select_for_update(skip_locked=True, no_key=True).order_by("pk")
    return {
        *secrets.filter(pk__in={use.found.secret_id for use in uses}).values_list("pk", flat=True),
        *keys.filter(pk__in={use.found.key_id for use in uses}).values_list("pk", flat=True),
    }


def _move(use: Use) -> None:
    secret = ApiKeySecret.objects.filter(pk=use.found.secret_id, pepper=use.found.pepper)
    secret.update(pepper=conf.peppers().newest, digest=use.digest)


@contextlib.contextmanager
def _without_waiting() -> Iterator[None]:
    """Doesn't wait seconds for other writers of SQLite: a last-used time is not worth it."""
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

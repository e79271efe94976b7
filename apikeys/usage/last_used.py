"""What a successful use leaves behind, without ever delaying or failing a request.

A use is successful if the request was not refused: the key was valid, held the scope, and was
within its limits. Refused requests are counted by reason in `KeyUsage`.
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
    """A use of a secret; `digest` is the secret's under the newest pepper.

    One that was refused is not a last use, but shows that a secret has to move with the peppers.
    """

    found: VerifiedKey
    origin: RequestContext
    at: datetime
    digest: bytes = field(repr=False)
    successful: bool = True

    @property
    def is_due(self) -> bool:
        """Whether there is something to record, as far as the row tells that was read."""
        if not self.successful:
            return self.moves
        last = self.found.last_used_at
        return last is None or last <= self.at - INTERVAL or self.moves

    @property
    def moves(self) -> bool:
        """Whether the secret is to move to the newest pepper."""
        return self.found.pepper != conf.peppers().newest


def record(uses: Sequence[Use], *, wait: bool = True) -> set[UUID]:
    """Records time, address and user agent of successful uses, once a minute for each secret.

    The same visit moves a secret's digest to the newest pepper. Rows that somebody else holds are
    left for the next use; nothing is raised when the database refuses. Returns the ids of the
    secrets that were visited. `wait` for SQLite's writer, or else give up.
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
    """Locks the secrets and their keys, but for those that somebody else holds.

    In the order of their ids, so that two processes do not wait for each other.
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

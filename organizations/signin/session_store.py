"""Sessions that expire after some idle time, and some days after the sign-in at the latest."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.utils import timezone

from core.sqlite_writers import write_lock

#: Session key for the sign-in time (Unix time).
SIGNED_IN_AT: Final = "signed_in_at"
#: A new expiry is stored if it differs by more than this fraction of the idle time.
_PARTS: Final = 12
_log = structlog.get_logger(__name__)


class SessionStore(DatabaseStore):
    """Stores the expiry in `expire_date`, which each use moves. Anonymous sessions are unchanged.

    Moving it updates only that column, so it doesn't overwrite what a concurrent request stored in
    the session.
    """

    def load(self) -> dict[str, Any]:
        row = self._get_session_from_db()  # type: ignore[attr-defined]
        data = self.decode(row.session_data) if row else {}
        if row and SIGNED_IN_AT in data:
            _note_use(row, data)
        elif SESSION_KEY in data:
            self.modified = True  # from before idle expiry existed: counts from now on
        return data

    def save(self, must_create: bool = False) -> None:
        # Django treats any database error as a deleted session and responds with 400.
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, OperationalError | InterfaceError):
                raise error.__context__ from None
            raise

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        if SESSION_KEY in data:
            data.setdefault(SIGNED_IN_AT, int(time.time()))
        row = super().create_model_instance(data)
        if SESSION_KEY in data:
            row.expire_date = _end(data)
        return row

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Seconds until the cookie expires: the latest possible end of the session."""
        if SIGNED_IN_AT in self:
            return max(0, int(_latest_end(self[SIGNED_IN_AT]).timestamp() - time.time()))
        return super().get_expiry_age(**kwargs)


def _latest_end(signed_in_at: int) -> datetime:
    return datetime.fromtimestamp(signed_in_at + settings.SESSION_COOKIE_AGE, tz=UTC)


def _end(data: dict[str, Any]) -> datetime:
    """When a session that is used now expires if it isn't used again."""
    latest = _latest_end(data[SIGNED_IN_AT])
    idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    return min(latest, timezone.now() + idle) if idle else latest


def last_use(row: AbstractBaseSession, data: dict[str, Any]) -> datetime | None:
    """When a session was last used, to about a twelfth of the idle time. None if not recorded.

    Uses move the expiry, up to the latest possible end. Near that end this is the earliest time.
    """
    if not settings.SESSION_IDLE_MINUTES or SIGNED_IN_AT not in data:
        return None
    return row.expire_date - timedelta(minutes=settings.SESSION_IDLE_MINUTES)


def _note_use(row: AbstractBaseSession, data: dict[str, Any]) -> None:
    end = _end(data)
    # abs(): the expiry moves back if the configured times were shortened.
    moved = abs(end - row.expire_date)
    if moved <= timedelta(minutes=settings.SESSION_IDLE_MINUTES) / _PARTS:
        return
    try:
        with write_lock(), transaction.atomic():
            Session.objects.filter(pk=row.pk).update(expire_date=end)
    except DatabaseError as error:
        # Reading still works. The use is stored once the database accepts writes again.
        _log.warning("session_use_not_noted", reason=type(error).__name__)

"""Rotation: a new secret for the same key. The older one keeps working for an overlap."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from apikeys.events import KeyEvent
from apikeys.models import ApiKey, ApiKeySecret, Status
from apikeys.services import authority, key_emails
from apikeys.services.idempotency import IdempotencyToken, claim, require_unused, store_result
from apikeys.services.keys import Issued, issue_secret, lock_key, require_not_revoked
from core.actors import Actor
from core.exceptions import Conflict, ErrorCode, Invalid
from core.revocation_wait import limit_waiting, require_wait, wait_for_earlier
from core.timestamps import rfc3339
from core.transactions import operation
from organizations import audit

LONGEST_GRACE: Final = timedelta(days=7)
DEFAULT_GRACE: Final = timedelta(days=1)
#: One event per minute and retired secret, so that a client can't flood the audit log.
MISUSE_INTERVAL: Final = timedelta(minutes=1)
#: An email follows the first use of a retired secret, and the first after so long without one.
QUIET_DAY: Final = timedelta(days=1)


#: An overlap that ends later has reached every process by then, however long its lease.
SHORT_GRACE: Final = timedelta(minutes=1)


def _may_end_a_secret(options: Mapping[str, Any]) -> bool:
    grace: timedelta = options.get("grace_period", DEFAULT_GRACE)
    return bool(options.get("force")) or grace <= SHORT_GRACE


@limit_waiting(needed=_may_end_a_secret)
def rotate_api_key(
    key: ApiKey,
    *,
    actor: Actor,
    grace_period: timedelta = DEFAULT_GRACE,
    force: bool = False,
    submission: IdempotencyToken | None = None,
) -> Issued:
    """Issues a new secret. The older one works for `grace_period`, at most 7 days.

    Raises Conflict while an earlier overlap runs, unless `force`, which ends the oldest secret at
    once; Conflict too for a revoked or expired key and for the losers of a race; Forbidden where
    the key holds more than the actor, who would learn its secret; what `require_unused` does where
    the form or the call was sent before.
    """
    if not timedelta(0) <= grace_period <= LONGEST_GRACE:
        raise Invalid.field("grace_period", "Choose from 0 to 604800 seconds.")
    seen_secret = key.secrets.current().get()
    return _rotate(key, seen_secret, actor, grace_period, force, submission)


@operation()
def _rotate(
    key: ApiKey,
    seen_secret: ApiKeySecret,
    actor: Actor,
    grace_period: timedelta,
    force: bool,
    submission: IdempotencyToken | None = None,
) -> Issued:
    claim(key.organization_id, actor, submission)
    key, actor = lock_key(key, actor)
    require_unused(key.organization_id, actor, submission)
    require_not_revoked(key)
    if key.status is Status.EXPIRED:
        message = "This key has expired. Create a new one instead."
        raise Conflict(message, code=ErrorCode.KEY_EXPIRED)
    authority.require_key_within(actor, key)
    now = timezone.now()
    _require_no_rotation_in_progress(key, seen_secret, force, now)
    ends_at = _end_older_secrets(key, now, grace_period)
    secret = issue_secret(key)
    store_result(key.organization_id, actor, submission, key.current_secret)
    key.updated_at = now
    key.save(update_fields=["updated_at"])
    details = {"prefix": key.key_prefix, "previous_secret_ends_at": ends_at.isoformat()}
    audit.record(KeyEvent.ROTATED, key, actor=actor, details=details)
    key_emails.rotated(key, ends_at, actor=actor)
    return Issued(key, secret, ends_at)


def _require_no_rotation_in_progress(
    key: ApiKey, seen_secret: ApiKeySecret, force: bool, now: datetime
) -> None:
    """If `seen_secret`, current before the lock, is not any more, another rotation has won."""
    overlap = key.secrets.overlapping(now).order_by("-ends_at").first()
    if (overlap and not force) or key.secrets.current().get() != seen_secret:
        wait_for_earlier(key.organization_id)
        message = "A rotation of this key is already in progress."
        if overlap and overlap.works_until:
            message += f" Its older secret works until {rfc3339(overlap.works_until)};"
            message += " send “force” to end it now."
        raise Conflict(message, code=ErrorCode.ROTATION_IN_PROGRESS)


def _end_older_secrets(key: ApiKey, now: datetime, grace_period: timedelta) -> datetime:
    """Ends the older secrets; returns until when the newest of them works, as its key may end."""
    ended = key.secrets.overlapping(now).update(ends_at=now)
    ends_at = now + grace_period
    if ended or grace_period <= SHORT_GRACE:
        require_wait()
    key.secrets.current().update(ends_at=ends_at)
    return min(ends_at, key.expires_at or ends_at)


@operation()
def record_retired_use(*, secret_id: UUID, actor: Actor) -> None:
    """Records an audit event for the use of a secret that a rotation retired."""
    now = timezone.now()
    secret = ApiKeySecret.objects.select_related("key").filter(pk=secret_id).first()
    fresh = ApiKeySecret.objects.filter(pk=secret_id).exclude(misused_at__gt=now - MISUSE_INTERVAL)
    if secret and fresh.update(misused_at=now):
        details = {"prefix": secret.prefix}
        audit.record(KeyEvent.RETIRED_SECRET_USED, secret.key, actor=actor, details=details)
        if secret.misused_at is None or secret.misused_at <= now - QUIET_DAY:
            key_emails.retired_secret_used(secret, actor=actor)

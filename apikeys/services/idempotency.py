"""Idempotency: a form that is submitted twice or a call that is retried issues one secret.

A form's token is remembered until `maintain` removes it. A request's `Idempotency-Key` is
remembered for 24 hours, as in the IETF draft, and only for the same request. Only digests are
stored, no secrets.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeySecret, Submission
from core.actors import Actor
from core.exceptions import AlreadyDone, Conflict, ErrorCode, Mismatch
from core.revocation_wait import wait_for_earlier

KEPT: Final = timedelta(hours=24)
#: Expired tokens that are deleted when one is stored.
_DELETED_TOGETHER: Final = 100


@dataclass(frozen=True, slots=True)
class IdempotencyToken:
    """A form or an API request that may be sent again.

    `token` is chosen by the sender or the form. `request` is a digest of the request's content. It
    is empty for forms, which are compared by token only.
    """

    token: str
    request: bytes = b""


class AlreadySubmitted(AlreadyDone):
    """The token was used before and issued `secret` of `key`."""

    def __init__(self, secret: ApiKeySecret) -> None:
        message = "This form was already sent. Its secret can't be shown again."
        super().__init__(message, code=ErrorCode.ALREADY_SUBMITTED)
        self.secret, self.key, self.prefix = secret, secret.key, secret.prefix


def claim(organization_id: UUID, actor: Actor, attempt: IdempotencyToken | None) -> None:
    """Locks the token. Call inside an operation, before any other lock.

    Raises Conflict for a request that is in progress. If the operation fails, the token can be used
    again.
    """
    if attempt is None:
        return
    if not _claim(_digest(organization_id, actor, attempt), wait=not attempt.request):
        message = "A request with this Idempotency-Key is in progress. Try again in 1 second."
        raise Conflict(message, code=ErrorCode.REQUEST_IN_PROGRESS)


def require_unused(organization_id: UUID, actor: Actor, attempt: IdempotencyToken | None) -> None:
    """Call after `claim` and before any write. Raises if the token was used before.

    Raises AlreadySubmitted, or Mismatch if the request differs from the earlier one.
    """
    if attempt is None:
        return
    digest = _digest(organization_id, actor, attempt)
    earlier = Submission.objects.select_related("secret__key").filter(pk=digest).first()
    if earlier is None or (earlier.request and earlier.created_at <= timezone.now() - KEPT):
        return
    visible = ApiKey.objects.visible_to(actor).filter(pk=earlier.secret.key_id)
    if bytes(earlier.request) != attempt.request or not visible.exists():
        raise Mismatch(
            "This Idempotency-Key was already used for a different request. Use a new one.",
            code=ErrorCode.IDEMPOTENCY_KEY_REUSED,
        )
    wait_for_earlier(organization_id)
    raise AlreadySubmitted(earlier.secret)


def store_result(
    organization_id: UUID, actor: Actor, attempt: IdempotencyToken | None, secret: ApiKeySecret
) -> None:
    """Stores the secret that a token issued, in the operation's transaction."""
    if attempt is None:
        return
    digest = _digest(organization_id, actor, attempt)
    _delete_expired()
    Submission.objects.filter(pk=digest).delete()  # an expired one
    Submission.objects.create(digest=digest, request=attempt.request, secret=secret)


def _digest(organization_id: UUID, actor: Actor, attempt: IdempotencyToken) -> bytes:
    """Different for each organization, and for live and test keys."""
    kind = "call" if attempt.request else "form"
    parts = (organization_id.hex, actor.environment or "", kind, attempt.token)
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _claim(digest: bytes, *, wait: bool) -> bool:
    """Locks out other users of the token until the transaction ends.

    SQLite has one writer and needs no lock. Tokens that share these 63 bits only wait.
    """
    if connection.vendor != "postgresql":
        return True
    lock = int.from_bytes(digest[:8], "big") >> 1
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT true FROM pg_advisory_xact_lock(%s)", [lock])
        else:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        return bool(cursor.fetchone()[0])


def expired_calls() -> QuerySet[Submission]:
    """Calls whose `Idempotency-Key` is no longer remembered. Forms do not expire."""
    return Submission.objects.filter(created_at__lte=timezone.now() - KEPT).exclude(request=b"")


def _delete_expired() -> None:
    free = expired_calls().select_for_update(skip_locked=True)
    tokens = free.values_list("pk", flat=True)[:_DELETED_TOGETHER]
    Submission.objects.filter(pk__in=[bytes(pk) for pk in tokens]).delete()

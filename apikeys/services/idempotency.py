"""Idempotency: a form that is submitted twice or a call that is retried issues one secret.

A form has made its secret for good. A call's `Idempotency-Key` is remembered for 24 hours, as in
the IETF draft, and only with the very same request; it lies here as a digest, and no secret does.
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
    """A form or a call that may be sent again.

    `token` is what its sender made up, or the form; `request` a digest of what a call asks for,
    empty for a form, which has made its secret whatever is in it the second time.
    """

    token: str
    request: bytes = b""


class AlreadySubmitted(AlreadyDone):
    """It has made its secret before: `secret` of `key`."""

    def __init__(self, secret: ApiKeySecret) -> None:
        message = "This form was already sent. Its secret can't be shown again."
        super().__init__(message, code=ErrorCode.ALREADY_SUBMITTED)
        self.secret, self.key, self.prefix = secret, secret.key, secret.prefix


def claim(organization_id: UUID, actor: Actor, attempt: IdempotencyToken | None) -> None:
    """Inside an operation, before every other lock: the attempt is made by no one else now.

    Raises Conflict for a call that is under way. An operation that fails is forgotten with its
    writes.
    """
    if attempt is None:
        return
    if not _claim(_digest(organization_id, actor, attempt), wait=not attempt.request):
        message = "A call with this Idempotency-Key is under way. Try again in a second."
        raise Conflict(message, code=ErrorCode.REQUEST_IN_PROGRESS)


def require_unused(organization_id: UUID, actor: Actor, attempt: IdempotencyToken | None) -> None:
    """After `claim` and before the writes: the attempt was not made before.

    Raises AlreadySubmitted; Mismatch where a call has asked for something else.
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
            "This Idempotency-Key was sent with another request before. Make up a new one.",
            code=ErrorCode.IDEMPOTENCY_KEY_REUSED,
        )
    wait_for_earlier(organization_id)
    raise AlreadySubmitted(earlier.secret)


def store_result(
    organization_id: UUID, actor: Actor, attempt: IdempotencyToken | None, secret: ApiKeySecret
) -> None:
    """Keeps what an attempt has made, with the writes of its operation."""
    if attempt is None:
        return
    digest = _digest(organization_id, actor, attempt)
    _delete_expired()
    Submission.objects.filter(pk=digest).delete()  # an expired one
    Submission.objects.create(digest=digest, request=attempt.request, secret=secret)


def _digest(organization_id: UUID, actor: Actor, attempt: IdempotencyToken) -> bytes:
    """The same token from two organizations, or from live and test, is two attempts."""
    kind = "call" if attempt.request else "form"
    parts = (organization_id.hex, actor.environment or "", kind, attempt.token)
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _claim(digest: bytes, *, wait: bool) -> bool:
    """Keeps others from the same attempt until the transaction ends.

    SQLite's writers take turns as it is. Two attempts that share these 63 bits only wait.
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

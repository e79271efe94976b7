"""Deletes personal data that is older than the installation keeps it, for `maintain`."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.actors import Actor
from core.sqlite_writers import write_lock
from core.transactions import operation
from organizations import audit
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.services.forgetting import erase_from_audit_log

#: Rows per transaction, which limits locks and the database's write-ahead log.
BATCH: Final = 5_000
#: Longer than any sign-in request takes.
_SIGN_IN_TIME: Final = timedelta(hours=1)


class Trail:
    """The target of events about the audit log. Stored by class name, so don't rename it."""

    pk: Any = None
    organization_id: UUID | None = None

    def __str__(self) -> str:
        return "audit log"


def with_addresses(before: datetime) -> models.QuerySet[AuditEvent]:
    """Events before `before` that still have an IP address or a user agent."""
    return AuditEvent.objects.filter(at__lt=before).filter(~Q(ip=None) | ~Q(user_agent=""))


def erase_addresses(before: datetime, *, actor: Actor) -> Iterator[int]:
    """Erases in batches. Each batch adds its own event."""
    while erased := _erase_addresses(before, actor):
        yield erased


@operation()
def _erase_addresses(before: datetime, actor: Actor) -> int:
    batch = list(with_addresses(before).order_by("number").values_list("id", flat=True)[:BATCH])
    if not batch:
        return 0
    erased = AuditEvent.objects.filter(id__in=batch).update(ip=None, user_agent="")
    details = {"events": erased, "before": before.isoformat()}
    audit.record(OrganizationEvent.ADDRESSES_ERASED, Trail(), actor=actor, details=details)
    return erased


def unconfirmed(before: datetime) -> models.QuerySet[User]:
    """Users who signed up before `before`, confirmed no address and never signed in."""
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(
        Exists(addresses),
        ~Exists(addresses.filter(verified=True)),
        date_joined__lt=before,
        last_login=None,
        is_staff=False,
        is_superuser=False,
    )


def remove_unconfirmed(before: datetime, *, actor: Actor) -> Iterator[int]:
    """Removes one user at a time."""
    for pk in list(unconfirmed(before).values_list("pk", flat=True)):
        yield int(remove_sign_up(pk, before, actor=actor))


def is_removable(user: User, before: datetime) -> bool:
    """Whether the user is an unconfirmed sign-up that others don't depend on."""
    memberships = user.memberships.select_related("organization")
    return unconfirmed(before).filter(pk=user.pk).exists() and not any(
        _is_used(one.organization, user) for one in memberships
    )


@operation()
def remove_sign_up(pk: UUID, before: datetime, *, actor: Actor) -> bool:
    """Removes a user who never confirmed an address. False if it is more than a sign-up."""
    user = User.objects.select_for_update().filter(pk=pk).first()
    # It may have just been confirmed, and data that others use must stay.
    if user is None or not is_removable(user, before):
        return False
    founded = [one.organization for one in user.memberships.select_related("organization")]
    erase_from_audit_log(user)
    for organization in founded:
        # The organization first: a trigger protects the last admin of an existing one.
        _remove_row(organization)
        Membership.objects.filter(organization_id=organization.pk).delete()
    audit.record(OrganizationEvent.PERSON_UNCONFIRMED_REMOVED, user, actor=actor)
    user.delete()
    return True


def _is_used(organization: Organization, founder: User) -> bool:
    """Whether another user created the organization, or it contains more than its founder."""
    own = AuditEvent.objects.filter(event=OrganizationEvent.CREATED, actor_id=founder.pk)
    if not own.filter(target_id=organization.pk).exists():
        return True
    if organization.memberships.exclude(user=founder).exists():
        return True
    others = (one for one in Organization._meta.related_objects if one.name != "memberships")  # noqa: SLF001
    return any(
        one.related_model._default_manager.filter(**{one.field.name: organization}).exists()  # noqa: SLF001
        for one in others
    )


def _remove_row(organization: Organization) -> None:
    """Bypasses Django's protection, which requires deleting the membership first."""
    row = Organization.objects.filter(pk=organization.pk)
    row._raw_delete(row.db)  # noqa: SLF001


def ended_sessions() -> tuple[models.QuerySet[Session], models.QuerySet[UserSession]]:
    """Expired sessions, and list entries without a session.

    A sign-in in progress has an entry before it has a session.
    """
    now = timezone.now()
    live = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=now)
    listed = UserSession.objects.filter(~Exists(live), created_at__lt=now - _SIGN_IN_TIME)
    return Session.objects.filter(expire_date__lte=now), listed


def remove_ended_sessions() -> int:
    """Deletes both. Signs no one out."""
    with write_lock(), transaction.atomic():
        return sum(rows.delete()[0] for rows in reversed(ended_sessions()))

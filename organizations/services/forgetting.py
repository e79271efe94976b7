"""Erases a person's name, addresses and devices from the database and the audit log.

Events stay in place with their IDs, but no longer name the person. The database allows no other
change (`organizations.audit_triggers`).
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.db.models import Q

from core.actors import Actor
from core.exceptions import Conflict
from core.transactions import operation
from organizations import audit, policy
from organizations.audit_triggers import FORMER
from organizations.events import OrganizationEvent
from organizations.models import (
    AuditEvent,
    AuditEventQuerySet,
    Erasure,
    Invitation,
    Membership,
    User,
)
from organizations.services.senders import lock_organizations_of, revoke_without_authority

#: A domain that never exists (RFC 2606), so no email can be delivered there.
_NOWHERE: Final = "forgotten.invalid"


@operation()
def forget_person(user: User, *, actor: Actor) -> User:
    """Irreversibly replaces everything that identifies a person by a pseudonym.

    Conflict for members of open organizations and for staff, who have to leave first. Members of a
    closed one can't leave, and stay under their pseudonyms: the database requires an admin.
    """
    policy.require_staff(actor)
    lock_organizations_of(user.pk)
    user = User.objects.select_for_update().get(pk=user.pk)
    _require_gone(user)
    label = erase_from_audit_log(user)
    revoke_without_authority(user.pk, actor=actor)  # of closed organizations
    for session in UserSession.objects.filter(user=user):
        session.end()
    Authenticator.objects.filter(user=user).delete()
    Invitation.objects.filter(email__in=user.confirmed_emails()).delete()
    EmailAddress.objects.filter(user=user).delete()
    LogEntry.objects.filter(object_id=str(user.pk)).update(object_repr=label)
    user.email = f"{user.id.hex}@{_NOWHERE}"
    user.muted_emails = []
    user.set_unusable_password()
    user.save()
    audit.record(OrganizationEvent.PERSON_FORGOTTEN, user, actor=actor)
    return user


def erase_from_audit_log(user: User) -> str:
    """Replaces the person by a pseudonym in every event. Call inside an operation.

    Deactivates and renames them first: the database allows erasures only for such users.
    """
    label = f"{FORMER}{user.public_id.removeprefix('usr_')}"
    mentions = list(_mentions(user).values_list("id", flat=True))
    user.name, user.is_active = label, False
    user.save(update_fields=["name", "is_active"])
    _allow([user.pk], label)
    _allow(mentions, label)
    theirs = AuditEvent.objects.filter(actor_id=user.pk)
    theirs.update(actor_label=label, ip=None, user_agent="")
    AuditEvent.objects.filter(target_id=user.pk).update(target_label=label)
    named = AuditEvent.objects.filter(id__in=mentions)
    founded = named.filter(event=OrganizationEvent.CREATED)
    founded.update(details={})
    named.exclude(event=OrganizationEvent.CREATED).update(target_label=label)
    return label


def _require_gone(user: User) -> None:
    if Erasure.objects.filter(pk=user.pk).exists():
        raise Conflict("This person has already been forgotten.")
    memberships = Membership.objects.filter(user=user, organization__closed_at=None)
    names = ", ".join(sorted(memberships.values_list("organization__name", flat=True)))
    if names:
        raise Conflict(f"They are still a member of {names}. Remove them there first.")
    if user.is_staff or user.is_superuser:
        raise Conflict("They are staff. Remove their permissions first.")


def _allow(subjects: Iterable[UUID], label: str) -> None:
    Erasure.objects.bulk_create(Erasure(subject_id=subject, label=label) for subject in subjects)


def _mentions(user: User) -> AuditEventQuerySet:
    """Events of memberships and invitations that name the person, and of their organizations.

    Excludes events about an address that they entered but never confirmed: it is another person's.
    Newer events of memberships have the person's ID. Older ones are found by label, and by name
    only where the person has acted, since others may have the same name.
    """
    addresses = user.confirmed_emails()
    acted = AuditEvent.objects.filter(actor_id=user.pk)
    organizations = list(acted.values_list("organization_id", flat=True).distinct())
    names = set(acted.values_list("actor_label", flat=True)) | ({user.name} - {""})
    found = Q(target_type="Membership", details__person=user.public_id)
    founded = Q(event=OrganizationEvent.CREATED)
    found |= founded & Q(details__admin__in=addresses)
    found |= founded & Q(details__admin=user.email, actor_id=user.pk)
    invited = Invitation.objects.filter(email__in=addresses).values("id")
    found |= Q(target_type="Invitation", target_id__in=invited)
    for address in addresses:
        found |= Q(target_type="Invitation", target_label__startswith=f"{address} (")
        found |= Q(target_type="Membership", target_label__startswith=f"{address} in ")
    unmarked = Q(target_type="Membership", organization_id__in=organizations)
    unmarked &= ~Q(details__has_key="person")
    for name in names:
        found |= (
            unmarked & ~Q(details__has_key="person") & Q(target_label__startswith=f"{name} in ")
        )
    return AuditEvent.objects.filter(found)

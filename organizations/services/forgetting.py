"""Taking a person's name, addresses and devices out of the database, and out of the trail.

Events stay, in their places and with their ids: who did what can still be followed, and no longer
says who that was. The database allows nothing else (`organizations.audit_triggers`).
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

#: A domain that never exists (RFC 2606), so that no mail is ever sent there.
_NOWHERE: Final = "forgotten.invalid"


@operation()
def forget_person(user: User, *, actor: Actor) -> User:
    """Replaces all that tells who a person is by a pseudonym; nobody can bring it back.

    Conflict for members of organizations and for staff, who have to leave first.
    """
    policy.require_staff(actor)
    user = User.objects.select_for_update().get(pk=user.pk)
    _require_gone(user)
    label = erase_from_trail(user)
    for session in UserSession.objects.filter(user=user):
        session.end()
    Authenticator.objects.filter(user=user).delete()
    Invitation.objects.filter(email__in=user.confirmed_emails()).delete()
    EmailAddress.objects.filter(user=user).delete()
    LogEntry.objects.filter(object_id=str(user.pk)).update(object_repr=label)
    user.email = f"{user.id.hex}@{_NOWHERE}"
    user.set_unusable_password()
    user.save()
    audit.record(OrganizationEvent.PERSON_FORGOTTEN, user, actor=actor)
    return user


def erase_from_trail(user: User) -> str:
    """Inside an operation: puts a pseudonym in the place of the person in every event.

    First in the place of their name. They are deactivated: the database erases nothing of others.
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
        raise Conflict("This person is forgotten already.")
    memberships = Membership.objects.filter(user=user).select_related("organization")
    names = ", ".join(sorted(membership.organization.name for membership in memberships))
    if names:
        raise Conflict(f"They are still a member of {names}. Remove them there first.")
    if user.is_staff or user.is_superuser:
        raise Conflict("They are staff. Take their permissions away first.")


def _allow(subjects: Iterable[UUID], label: str) -> None:
    Erasure.objects.bulk_create(Erasure(subject_id=subject, label=label) for subject in subjects)


def _mentions(user: User) -> AuditEventQuerySet:
    """Events of memberships and invitations that name the person, and of organizations they made.

    An address that they entered and never confirmed is another person's, whose events stay.
    Events of memberships have the person's id. Earlier ones are found by their labels, names only
    where the person has acted, since others may have the same.
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

"""Invitations by email."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Self
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone

from core import ids
from core.transactions import GuardedModel
from organizations.models.organizations import Membership, Organization, OwnedQuerySet
from organizations.models.users import User
from organizations.roles import Role

LIFETIME: Final = timedelta(days=7)


class InvitationState(StrEnum):
    """The state of an invitation, in the order in which it is decided."""

    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"
    WAITING = "waiting"


class InvitationQuerySet(OwnedQuerySet["Invitation"]):
    def open(self) -> Self:
        """Invitations that can be accepted, or sent again if they have expired."""
        return self.filter(accepted_at=None, revoked_at=None)

    def accepted(self) -> Self:
        return self.exclude(accepted_at=None)

    def sent_by(self, person_id: UUID) -> Self:
        return self.filter(invited_by_id=person_id)

    def with_authority(self) -> Self:
        """Invitations whose sender may still invite. The system always may."""
        return self.filter(_sender_may_invite())

    def without_authority(self) -> Self:
        """Invitations whose sender is deactivated, or neither an admin there nor staff."""
        return self.filter(~_sender_may_invite())


def _sender_may_invite() -> models.Q:
    memberships = Membership.objects.all()
    as_admin = memberships.admins().filter(
        organization_id=models.OuterRef("organization_id"),
        user_id=models.OuterRef("invited_by_id"),
    )
    is_admin_or_staff = models.Q(models.Exists(as_admin)) | models.Q(invited_by__is_staff=True)
    return models.Q(invited_by=None) | (models.Q(invited_by__is_active=True) & is_admin_or_staff)


def new_nonce() -> str:
    """Makes each link of an invitation different from earlier ones."""
    return secrets.token_urlsafe(16)


def next_end() -> datetime:
    """When an invitation that is sent now expires."""
    return timezone.now() + LIFETIME


class Invitation(GuardedModel):
    """Invites the owner of an email address to an organization."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="invitations"
    )
    email = models.EmailField("e-mail address")
    role = models.CharField(max_length=10, choices=[(role, role.capitalize()) for role in Role])
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    nonce = models.CharField(max_length=30, default=new_nonce, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=next_end)
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    #: Whether the last email for this object could not be sent.
    mail_failed = False

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_per_address",
            ),
            models.CheckConstraint(condition=Q(role__in=list(Role)), name="invited_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"

    @property
    def public_id(self) -> str:
        """The public ID: ``inv_…``."""
        return ids.public_id("inv", self.id)

    @property
    def state(self) -> InvitationState:
        if self.accepted_at:
            return InvitationState.ACCEPTED
        if self.revoked_at:
            return InvitationState.REVOKED
        expired = self.expires_at <= timezone.now()
        return InvitationState.EXPIRED if expired else InvitationState.WAITING

"""Invitations by e-mail."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations import ids
from organizations.models.organizations import Organization, User
from organizations.querysets import InvitationQuerySet
from organizations.roles import Role
from organizations.writes import GuardedModel

LIFETIME: Final = timedelta(days=7)


class InvitationState(StrEnum):
    """What has become of an invitation, in the order in which it is decided."""

    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"
    WAITING = "waiting"


def new_nonce() -> str:
    """What makes a link differ from the links that were mailed before."""
    return secrets.token_urlsafe(16)


def next_end() -> datetime:
    """When an invitation that is sent now ends."""
    return timezone.now() + LIFETIME


class Invitation(GuardedModel):
    """A place in an organization, held for the owner of an e-mail address."""

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

    #: Whether the mail that was last sent for this object could not be handed over.
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
        """The id that interfaces show: ``inv_…``."""
        return ids.public_id("inv", self.id)

    @property
    def state(self) -> InvitationState:
        """The derived state now."""
        if self.accepted_at:
            return InvitationState.ACCEPTED
        if self.revoked_at:
            return InvitationState.REVOKED
        expired = self.expires_at <= timezone.now()
        return InvitationState.EXPIRED if expired else InvitationState.WAITING

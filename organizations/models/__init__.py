"""Models of users, organizations, invitations and the audit log."""

from organizations.models.audit import AuditEvent, AuditEventQuerySet
from organizations.models.clock import Change, Clock, Follower
from organizations.models.erasures import Erasure
from organizations.models.invitations import Invitation, InvitationQuerySet, InvitationState
from organizations.models.organizations import (
    DEFAULT_TIER,
    KEY_PERIODS,
    MOST_KEYS,
    Membership,
    MembershipQuerySet,
    Organization,
    OwnedQuerySet,
)
from organizations.models.service_accounts import ServiceAccount
from organizations.models.users import User, UserManager

__all__ = [
    "DEFAULT_TIER",
    "KEY_PERIODS",
    "MOST_KEYS",
    "AuditEvent",
    "AuditEventQuerySet",
    "Change",
    "Clock",
    "Erasure",
    "Follower",
    "Invitation",
    "InvitationQuerySet",
    "InvitationState",
    "Membership",
    "MembershipQuerySet",
    "Organization",
    "OwnedQuerySet",
    "ServiceAccount",
    "User",
    "UserManager",
]

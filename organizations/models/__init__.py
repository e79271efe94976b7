"""People, organizations, invitations and their trail: fields, constraints, facts about one row."""

from organizations.models.clock import Change, Clock, Follower
from organizations.models.erasures import Erasure
from organizations.models.invitations import Invitation, InvitationState
from organizations.models.organizations import (
    DEFAULT_TIER,
    MOST_KEYS,
    AuditEvent,
    Membership,
    Organization,
    ServiceAccount,
    User,
    UserManager,
)

__all__ = [
    "DEFAULT_TIER",
    "MOST_KEYS",
    "AuditEvent",
    "Change",
    "Clock",
    "Erasure",
    "Follower",
    "Invitation",
    "InvitationState",
    "Membership",
    "Organization",
    "ServiceAccount",
    "User",
    "UserManager",
]

"""Admin of organizations, users and the audit log."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin

from organizations.admin.audit import AuditEventAdmin
from organizations.admin.invitations import InvitationAdmin
from organizations.admin.organizations import OrganizationAdmin, ServiceAccountAdmin
from organizations.admin.people import MembershipAdmin, UserAdmin
from organizations.admin.processes import FollowerAdmin

# The admin neither shows nor changes what users sign in with.
for model in (EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)

__all__ = [
    "AuditEventAdmin",
    "FollowerAdmin",
    "InvitationAdmin",
    "MembershipAdmin",
    "OrganizationAdmin",
    "ServiceAccountAdmin",
    "UserAdmin",
]

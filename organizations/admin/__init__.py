"""The staff's pages about organizations, people and the audit trail."""

from organizations.admin.organizations import OrganizationAdmin, ServiceAccountAdmin
from organizations.admin.people import MembershipAdmin, UserAdmin
from organizations.admin.trail import AuditEventAdmin

__all__ = [
    "AuditEventAdmin",
    "MembershipAdmin",
    "OrganizationAdmin",
    "ServiceAccountAdmin",
    "UserAdmin",
]

"""Every write to organizations, their people and their service accounts.

Each function is one operation: policy, write and one audit event in one transaction.
"""

from organizations.services.invitations import (
    accept_invitation,
    invite,
    resend_invitation,
    revoke_invitation,
)
from organizations.services.members import (
    add_member,
    change_role,
    leave_organization,
    remove_member,
)
from organizations.services.organizations import (
    create_organization,
    found_organization,
    rename_organization,
    set_api_access,
    set_rate_limit_tier,
)
from organizations.services.people import record_password_set, save_person
from organizations.services.service_accounts import (
    create_service_account,
    set_service_account_enabled,
    update_service_account,
)

__all__ = [
    "accept_invitation",
    "add_member",
    "change_role",
    "create_organization",
    "create_service_account",
    "found_organization",
    "invite",
    "leave_organization",
    "record_password_set",
    "remove_member",
    "rename_organization",
    "resend_invitation",
    "revoke_invitation",
    "save_person",
    "set_api_access",
    "set_rate_limit_tier",
    "set_service_account_enabled",
    "update_service_account",
]

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
    set_key_limit,
    set_rate_limit_tier,
)
from organizations.services.people import (
    end_sessions,
    remove_second_factors,
    save_person,
    send_password_link,
)
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
    "end_sessions",
    "found_organization",
    "invite",
    "leave_organization",
    "remove_member",
    "remove_second_factors",
    "rename_organization",
    "resend_invitation",
    "revoke_invitation",
    "save_person",
    "send_password_link",
    "set_api_access",
    "set_key_limit",
    "set_rate_limit_tier",
    "set_service_account_enabled",
    "update_service_account",
]

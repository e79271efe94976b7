"""All writes to organizations, users, invitations and service accounts.

Each function is one operation: permission check, write and one audit event in one transaction.
"""

from organizations.services.accounts import record_account_change, record_export
from organizations.services.addresses import (
    can_claim,
    claim_address,
    disown_address,
    prove_mailbox,
    replace_sign_up,
    replaceable_sign_up,
)
from organizations.services.email_settings import (
    choose_emails,
    read_unsubscribe_token,
    turn_off_emails,
    unsubscribe_token,
)
from organizations.services.forgetting import forget_person
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
    may_leave,
    remove_member,
)
from organizations.services.organizations import (
    close_organization,
    create_organization,
    create_own_organization,
    rename_organization,
    reopen_organization,
    set_api_access,
    set_default_expiry,
    set_key_limit,
    set_rate_limit_tier,
)
from organizations.services.people import (
    end_sessions,
    remove_second_factors,
    save_person,
    send_password_link,
)
from organizations.services.personal_data import export_personal_data
from organizations.services.service_accounts import (
    create_service_account,
    set_service_account_enabled,
    update_service_account,
)

__all__ = [
    "accept_invitation",
    "add_member",
    "can_claim",
    "change_role",
    "choose_emails",
    "claim_address",
    "close_organization",
    "create_organization",
    "create_own_organization",
    "create_service_account",
    "disown_address",
    "end_sessions",
    "export_personal_data",
    "forget_person",
    "invite",
    "leave_organization",
    "may_leave",
    "prove_mailbox",
    "read_unsubscribe_token",
    "record_account_change",
    "record_export",
    "remove_member",
    "remove_second_factors",
    "rename_organization",
    "reopen_organization",
    "replace_sign_up",
    "replaceable_sign_up",
    "resend_invitation",
    "revoke_invitation",
    "save_person",
    "send_password_link",
    "set_api_access",
    "set_default_expiry",
    "set_key_limit",
    "set_rate_limit_tier",
    "set_service_account_enabled",
    "turn_off_emails",
    "unsubscribe_token",
    "update_service_account",
]

"""What can happen to organizations and the people and machines in them."""

from enum import StrEnum


class OrganizationEvent(StrEnum):
    """Names of audit events."""

    CREATED = "organization.created"
    RENAMED = "organization.renamed"
    API_ACCESS_ENABLED = "organization.api_access_enabled"
    API_ACCESS_DISABLED = "organization.api_access_disabled"
    TIER_CHANGED = "organization.rate_limit_tier_changed"
    KEY_LIMIT_CHANGED = "organization.key_limit_changed"
    PERSON_CREATED = "person.created"
    PERSON_UPDATED = "person.updated"
    #: Left by versions in which staff set passwords.
    PERSON_PASSWORD_SET = "person.password_set"
    PERSON_PASSWORD_LINK_SENT = "person.password_link_sent"
    PERSON_SESSIONS_ENDED = "person.sessions_ended"
    PERSON_SECOND_FACTORS_REMOVED = "person.second_factors_removed"
    MEMBER_ADDED = "member.added"
    MEMBER_ROLE_CHANGED = "member.role_changed"
    MEMBER_REMOVED = "member.removed"
    MEMBER_LEFT = "member.left"
    INVITATION_CREATED = "invitation.created"
    INVITATION_RESENT = "invitation.resent"
    INVITATION_REVOKED = "invitation.revoked"
    INVITATION_ACCEPTED = "invitation.accepted"
    SERVICE_ACCOUNT_CREATED = "service_account.created"
    SERVICE_ACCOUNT_UPDATED = "service_account.updated"
    SERVICE_ACCOUNT_DISABLED = "service_account.disabled"
    SERVICE_ACCOUNT_ENABLED = "service_account.enabled"

"""Audit events about organizations, their people and their service accounts."""

from enum import StrEnum
from typing import Final, TypeVar

E = TypeVar("E", bound=type[StrEnum])
_recorded: "Final[list[type[StrEnum]]]" = []


def recorded(names: E) -> E:
    """Class decorator that registers event names, so that staff can filter by them."""
    _recorded.append(names)
    return names


def every_event() -> list[str]:
    """The names of all events of this installation, sorted."""
    return sorted(name.value for names in _recorded for name in names)


@recorded
class OrganizationEvent(StrEnum):
    CREATED = "organization.created"
    RENAMED = "organization.renamed"
    CLOSED = "organization.closed"
    REOPENED = "organization.reopened"
    API_ACCESS_ENABLED = "organization.api_access_enabled"
    API_ACCESS_DISABLED = "organization.api_access_disabled"
    TIER_CHANGED = "organization.rate_limit_tier_changed"
    KEY_LIMIT_CHANGED = "organization.key_limit_changed"
    DEFAULT_EXPIRY_CHANGED = "organization.default_expiry_changed"
    EXPORTED = "organization.exported"
    #: Written by `maintain` after it erased addresses of old events.
    ADDRESSES_ERASED = "trail.addresses_erased"
    PERSON_CREATED = "person.created"
    PERSON_UPDATED = "person.updated"
    #: Written by versions in which staff could set passwords.
    PERSON_PASSWORD_SET = "person.password_set"
    PERSON_PASSWORD_LINK_SENT = "person.password_link_sent"
    PERSON_SESSIONS_ENDED = "person.sessions_ended"
    PERSON_SECOND_FACTORS_REMOVED = "person.second_factors_removed"
    PERSON_EMAIL_ADDED = "person.email_added"
    PERSON_EMAIL_CONFIRMED = "person.email_confirmed"
    PERSON_EMAIL_REMOVED = "person.email_removed"
    PERSON_EMAIL_DISOWNED = "person.email_disowned"
    PERSON_PASSWORD_CHANGED = "person.password_changed"  # pragma: allowlist secret
    PERSON_EMAIL_CHANGED = "person.email_changed"
    PERSON_SECOND_FACTOR_ADDED = "person.second_factor_added"
    PERSON_SECOND_FACTOR_REMOVED = "person.second_factor_removed"
    PERSON_RECOVERY_CODES_RENEWED = "person.recovery_codes_renewed"
    PERSON_FORGOTTEN = "person.forgotten"
    PERSON_EXPORTED = "person.exported"
    PERSON_EMAILS_CHOSEN = "person.emails_chosen"
    PERSON_UNCONFIRMED_REMOVED = "person.unconfirmed_removed"
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
    SERVICE_ACCOUNT_DELETED = "service_account.deleted"

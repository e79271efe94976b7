"""Audit events as sentences: who did what to which target."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from apikeys.events import KeyEvent
from core.actors import ActorKind
from core.timestamps import days_in_words, stamp
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, Membership, Organization

#: Event → the words between actor and details. `{target}` is the target's name.
SENTENCES: Final[Mapping[str, str]] = {
    KeyEvent.CREATED: "created the key “{target}”",
    KeyEvent.UPDATED: "changed the key “{target}”",
    KeyEvent.ENABLED: "enabled the key “{target}”",
    KeyEvent.DISABLED: "disabled the key “{target}”",
    KeyEvent.TIER_CHANGED: "changed the rate limit of the key “{target}”",
    KeyEvent.ROTATED: "rotated the key “{target}”",
    KeyEvent.REVOKED: "deleted the key “{target}”",
    KeyEvent.RETIRED_SECRET_USED: "used an old secret of the key “{target}” after its rotation",
    KeyEvent.TEMPLATE_CREATED: "created the template “{target}”",
    KeyEvent.TEMPLATE_UPDATED: "changed the template “{target}”",
    KeyEvent.TEMPLATE_DELETED: "deleted the template “{target}”",
    OrganizationEvent.CREATED: "created the organization “{target}”",
    OrganizationEvent.RENAMED: "renamed the organization",
    OrganizationEvent.CLOSED: "closed the organization",
    OrganizationEvent.REOPENED: "reopened the organization",
    OrganizationEvent.API_ACCESS_ENABLED: "turned API access on",
    OrganizationEvent.API_ACCESS_DISABLED: "turned API access off",
    OrganizationEvent.TIER_CHANGED: "changed the rate-limit tier",
    OrganizationEvent.KEY_LIMIT_CHANGED: "changed the key limit",
    OrganizationEvent.DEFAULT_EXPIRY_CHANGED: "changed the default expiry of keys",
    OrganizationEvent.EXPORTED: "exported data of the organization",
    OrganizationEvent.PERSON_CREATED: "added the user {target}",
    OrganizationEvent.PERSON_UPDATED: "changed the user {target}",
    OrganizationEvent.PERSON_PASSWORD_SET: "set the password of {target}",
    OrganizationEvent.PERSON_PASSWORD_LINK_SENT: "sent {target} a password-setup link",
    OrganizationEvent.PERSON_SESSIONS_ENDED: "signed {target} out everywhere",
    OrganizationEvent.PERSON_SECOND_FACTORS_REMOVED: "reset two-factor authentication of {target}",
    OrganizationEvent.PERSON_EMAIL_ADDED: "added an email address to {target}",
    OrganizationEvent.PERSON_EMAIL_CONFIRMED: "confirmed the email address of {target}",
    OrganizationEvent.PERSON_EMAIL_REMOVED: "removed an email address of {target}",
    OrganizationEvent.PERSON_EMAIL_DISOWNED: "removed an unconfirmed email address from {target}",
    # pragma: allowlist nextline secret
    OrganizationEvent.PERSON_PASSWORD_CHANGED: "changed the password of {target}",
    OrganizationEvent.PERSON_EMAIL_CHANGED: "changed the email address of {target}",
    OrganizationEvent.PERSON_SECOND_FACTOR_ADDED: "added a two-factor method of {target}",
    OrganizationEvent.PERSON_SECOND_FACTOR_REMOVED: "removed a two-factor method of {target}",
    OrganizationEvent.PERSON_RECOVERY_CODES_RENEWED: "renewed the recovery codes of {target}",
    OrganizationEvent.PERSON_FORGOTTEN: "anonymized {target}",
    OrganizationEvent.PERSON_EXPORTED: "exported the data of {target}",
    OrganizationEvent.PERSON_EMAILS_CHOSEN: "changed the email settings of {target}",
    OrganizationEvent.PERSON_UNCONFIRMED_REMOVED: "removed the unconfirmed user {target}",
    OrganizationEvent.ADDRESSES_ERASED: "erased old IP addresses from the activity log",
    OrganizationEvent.MEMBER_ADDED: "added {target}",
    OrganizationEvent.MEMBER_ROLE_CHANGED: "changed the role of {target}",
    OrganizationEvent.MEMBER_REMOVED: "removed {target}",
    OrganizationEvent.MEMBER_LEFT: "left the organization",
    OrganizationEvent.INVITATION_CREATED: "invited {target}",
    OrganizationEvent.INVITATION_RESENT: "resent the invitation to {target}",
    OrganizationEvent.INVITATION_REVOKED: "revoked the invitation to {target}",
    OrganizationEvent.INVITATION_ACCEPTED: "accepted the invitation to {target}",
    OrganizationEvent.SERVICE_ACCOUNT_CREATED: "created the service account “{target}”",
    OrganizationEvent.SERVICE_ACCOUNT_UPDATED: "changed the service account “{target}”",
    OrganizationEvent.SERVICE_ACCOUNT_DISABLED: "disabled the service account “{target}”",
    OrganizationEvent.SERVICE_ACCOUNT_ENABLED: "enabled the service account “{target}”",
    OrganizationEvent.SERVICE_ACCOUNT_DELETED: "deleted the service account “{target}”",
}
#: Events whose sentence already includes their details.
SAID_ALREADY: Final = frozenset({KeyEvent.ENABLED, KeyEvent.DISABLED})
#: Events whose details contain a person's former role.
_ENDED: Final = frozenset({OrganizationEvent.MEMBER_REMOVED, OrganizationEvent.MEMBER_LEFT})
_MOMENTS: Final = frozenset({"expires_at", "previous_secret_ends_at"})
_LABELS: Final[Mapping[str, str]] = {
    "name": "name",
    "email": "email address",
    "is_active": "active",
    "is_staff": "staff",
    "is_superuser": "superuser",
    "description": "description",
    "expires_at": "expiry",
    "role": "role",
    "rate_limit_tier": "tier",
    "lifetime_days": "lifetime in days",
    "enabled": "enabled",
}


def words_of(event: AuditEvent) -> str:
    """The words between actor and details, with `{target}` in place of the target's name."""
    return SENTENCES.get(event.event, "changed “{target}”")


def who(event: AuditEvent) -> str:
    """The actor, as the subject of a sentence."""
    if event.actor_kind == ActorKind.KEY:
        return f"The key “{event.actor_label}”"
    if event.actor_kind == ActorKind.STAFF:
        return f"{event.actor_label} (support)"
    return "The system" if event.actor_kind == ActorKind.SYSTEM else event.actor_label


def sentence(event: AuditEvent, organization: Organization) -> str:
    """One sentence about an event, including what changed."""
    target = target_name(event, organization)
    said = f"{who(event)} {words_of(event).replace('{target}', target)}{role_words(event)}"
    changes = "; ".join(filter(None, (change(n, v) for n, v in event.details.items())))
    if changes and event.event not in SAID_ALREADY:
        said += f": {changes}"
    return f"{said.removesuffix('.')}."


def target_name(event: AuditEvent, organization: Organization) -> str:
    """What an event was about. The person, for a membership."""
    label = event.target_label
    return _member(label, organization) if event.target_type == Membership.__name__ else label


def role_words(event: AuditEvent) -> str:
    """The end of the sentence about a role, such as “ as admin”. Empty without a role."""
    role = event.details.get("role")
    if not isinstance(role, str):
        return ""
    return f" ({role})" if event.event in _ENDED else f" as {role}"


def _member(label: str, organization: Organization) -> str:
    """The person in a membership's label, such as “Quinn New in Acme”."""
    person = label.removesuffix(f" in {organization.name}")
    # The organization may have had another name then.
    return person if person != label else label.partition(" in ")[0]


def change(name: str, value: Any) -> str:
    """A detail of an event in words. Empty for those that pages don't show."""
    special = _SPECIAL.get(name)
    if special:
        return special(value)
    if name in _LABELS and isinstance(value, list) and len(value) == 2:
        show = _moment if name in _MOMENTS else _shown
        return f"{_LABELS[name]} from {show(value[0])} to {show(value[1])}"
    return ""


def _scopes(value: Any) -> str:
    """All scopes of a new key or template, or the difference for a changed one."""
    if not value or not isinstance(value[0], list):
        return f"permissions {', '.join(value)}"
    added, removed = scope_changes(*value)
    parts = [f"permissions added: {', '.join(added)}"] if added else []
    parts += [f"permissions removed: {', '.join(removed)}"] if removed else []
    return "; ".join(parts)


def scope_changes(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """The added and the removed scopes."""
    return [s for s in new if s not in old], [s for s in old if s not in new]


def _shown(value: Any) -> str:
    if value in (None, ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{value}”"


def _moment(value: Any) -> str:
    if not value:
        return "none"
    return stamp(datetime.fromisoformat(str(value)))


def _key_limit(value: Any) -> str:
    if value is None:
        return "the default"
    return f"{value:,}" if value else "unlimited"


def _default_expiry(days: int | None) -> str:
    return days_in_words(days) if days else "never"


_SPECIAL: Final[Mapping[str, Callable[[Any], str]]] = {
    "key_limit": lambda value: f"from {_key_limit(value[0])} to {_key_limit(value[1])}",
    "default_key_days": lambda value: (
        f"from {_default_expiry(value[0])} to {_default_expiry(value[1])}"
    ),
    "scopes": _scopes,
    "exported": str,
    "reason": lambda value: f"reason: {value}",
    "cascade": lambda value: "together with the key that created it",
    "previous_secret_ends_at": lambda value: f"the old secret works until {_moment(value)}",
    "metadata": lambda value: "metadata changed",
}

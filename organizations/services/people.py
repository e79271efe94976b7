"""What staff do to users. Users' own sign-up and settings are elsewhere."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

import structlog
from allauth.account import app_settings
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.actors import Actor
from core.exceptions import Conflict
from core.transactions import operation
from organizations import audit, mail, policy
from organizations.email_names import clean_mailed_name
from organizations.events import OrganizationEvent
from organizations.models import User
from organizations.services.senders import lock_organizations_of, revoke_without_authority

#: Fields that affect whether a user may invite.
_AUTHORITY: Final = frozenset({"is_active", "is_staff"})
#: Fields whose old and new values the event records. Permissions are saved later.
_RECORDED: Final = ("email", "name", "is_active", "is_staff", "is_superuser")
_log = structlog.get_logger(__name__)


@operation()
def save_person(user: User, *, changed: Sequence[str], actor: Actor) -> User:
    """Saves a new or changed user. The event records old and new values of `changed`.

    Notifies email addresses that no longer belong to the account. Raises Forbidden unless the actor
    is staff, Invalid for a name that can't be stored.
    """
    policy.require_staff(actor)
    adding = user.date_joined is None
    if adding or changed:
        if adding or "name" in changed:  # an old name with a link may stay
            user.name = clean_mailed_name(user.name) if user.name.strip() else ""
        old = _values(user, changed)
        _save(user, None if adding else changed, by=actor)
        if adding or "email" in changed:
            lost = _other_addresses(user, old.get("email"))
            user.mark_email_verified()
            for address in lost:
                _mail_after_commit("address_changed", address, new=user.email, old=old["email"])
        event = OrganizationEvent.PERSON_CREATED if adding else OrganizationEvent.PERSON_UPDATED
        changes = {name: [value, getattr(user, name)] for name, value in old.items()}
        audit.record(event, user, actor=actor, details={"fields": list(changed), **changes})
    return user


def _values(user: User, changed: Sequence[str]) -> dict[str, Any]:
    """The stored values of `changed` that the event records. Empty for a new user."""
    names = [name for name in _RECORDED if name in changed]
    stored = User.objects.filter(pk=user.pk).values(*names).first() if names else None
    return stored or {}


def _other_addresses(user: User, old: str | None) -> list[str]:
    """The former primary address and all other verified addresses."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True)
    known = {old, *confirmed.values_list("email", flat=True)} if old else set()
    return sorted(address for address in known - {user.email} if address)


def _save(user: User, changed: Sequence[str] | None, *, by: Actor) -> None:
    """Saves a new user, or only the `changed` fields: others may have changed meanwhile.

    Also revokes invitations of a user who may no longer invite.
    """
    if changed is None:
        user.save()
        return
    columns = [field.name for field in User._meta.concrete_fields if field.name in changed]  # noqa: SLF001
    if _AUTHORITY.isdisjoint(changed):
        user.save(update_fields=columns)
        return
    lock_organizations_of(user.pk)
    # Before the change too: reactivation must not restore invitations of a user who was
    # deactivated in a shell or with SQL.
    revoke_without_authority(user.pk, actor=by)
    user.save(update_fields=columns)
    revoke_without_authority(user.pk, actor=by)


@operation()
def send_password_link(user: User, *, link: Callable[[str], str], actor: Actor) -> None:
    """Emails a link to set a password, after the commit.

    `link` makes the page's URL from the key. Conflict for a deactivated user.
    """
    policy.require_staff(actor)
    if not user.is_active:
        raise Conflict("They are deactivated.")
    audit.record(OrganizationEvent.PERSON_PASSWORD_LINK_SENT, user, actor=actor)
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    address = link(f"{user_pk_to_url_str(user)}-{token}")
    expires_at = timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    _mail_after_commit("password_link", user.email, link=address, expires_at=expires_at)


@operation()
def end_sessions(user: User, *, actor: Actor) -> None:
    """Signs the user out everywhere. Does nothing without sessions."""
    policy.require_staff(actor)
    sessions = list(UserSession.objects.select_for_update().filter(user=user))
    for session in sessions:
        session.end()
    if sessions:
        audit.record(OrganizationEvent.PERSON_SESSIONS_ENDED, user, actor=actor)


@operation()
def remove_second_factors(user: User, *, actor: Actor) -> None:
    """Removes apps, passkeys and recovery codes, and emails the user.

    Callers must have verified that the request comes from the user.
    """
    policy.require_staff(actor)
    factors = Authenticator.objects.select_for_update().filter(user=user)
    kinds = sorted({factor.type for factor in factors})
    if kinds:
        factors.delete()
        event = OrganizationEvent.PERSON_SECOND_FACTORS_REMOVED
        audit.record(event, user, actor=actor, details={"kinds": kinds})
        _mail_after_commit("second_factors_removed", user.email)
        line = partial(_log.info, "second_factor_removed", person=user.public_id, by="staff")
        transaction.on_commit(line)


def _mail_after_commit(template: str, to: str, **context: Any) -> None:
    transaction.on_commit(partial(mail.send, template, to, context))

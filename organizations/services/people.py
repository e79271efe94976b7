"""What staff do to people. People's own sign-up and settings are not here."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import structlog
from allauth.account import app_settings
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from core.actors import Actor
from core.exceptions import Conflict
from core.transactions import operation
from organizations import audit, mail, policy
from organizations.email_names import clean_mailed_name
from organizations.events import OrganizationEvent
from organizations.models import User
from organizations.services.senders import lock_organizations_of, revoke_without_authority

#: Fields without which a person may not invite in their own name or as staff.
_AUTHORITY: Final = frozenset({"is_active", "is_staff"})
#: Fields whose old and new values an event shows; permissions are saved after it.
_RECORDED: Final = ("email", "name", "is_active", "is_staff", "is_superuser")
_log = structlog.get_logger(__name__)


@operation()
def save_person(user: User, *, changed: Sequence[str], actor: Actor) -> User:
    """Saves a new or changed person; the event has the old and new values of `changed`.

    A changed email address is told to the addresses that no longer belong to the account. Raises
    Forbidden for anybody but staff, Invalid for a name that cannot be kept.
    """
    policy.require_staff(actor)
    adding = user.date_joined is None
    if adding or changed:
        if adding or "name" in changed:  # one from before links were refused may stay
            user.name = clean_mailed_name(user.name) if user.name.strip() else ""
        old = _values(user, changed)
        _save(user, None if adding else changed, by=actor)
        if adding or "email" in changed:
            lost = _other_addresses(user, old.get("email"))
            user.vouch_for_email()
            for address in lost:
                _mail_after_commit("address_changed", address, new=user.email, old=old["email"])
        event = OrganizationEvent.PERSON_CREATED if adding else OrganizationEvent.PERSON_UPDATED
        changes = {name: [value, getattr(user, name)] for name, value in old.items()}
        audit.record(event, user, actor=actor, details={"fields": list(changed), **changes})
    return user


def _values(user: User, changed: Sequence[str]) -> dict[str, Any]:
    """The stored values of those of `changed` that an event can show; none for a new person."""
    names = [name for name in _RECORDED if name in changed]
    stored = User.objects.filter(pk=user.pk).values(*names).first() if names else None
    return stored or {}


def _other_addresses(user: User, old: str | None) -> list[str]:
    """The former primary address and all others that the person has confirmed."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True)
    known = {old, *confirmed.values_list("email", flat=True)} if old else set()
    return sorted(address for address in known - {user.email} if address)


def _save(user: User, changed: Sequence[str] | None, *, by: Actor) -> None:
    """All of a new person, or what is `changed`: the rest may have changed since it was read.

    Also revokes the invitations of a person who may no longer invite.
    """
    if changed is None:
        user.save()
        return
    columns = [field.name for field in User._meta.concrete_fields if field.name in changed]  # noqa: SLF001
    if _AUTHORITY.isdisjoint(changed):
        user.save(update_fields=columns)
        return
    lock_organizations_of(user.pk)
    # Those of a person who was deactivated by other means would work again from now on.
    revoke_without_authority(user.pk, actor=by)
    user.save(update_fields=columns)
    revoke_without_authority(user.pk, actor=by)


@operation()
def send_password_link(user: User, *, link: Callable[[str], str], actor: Actor) -> None:
    """Mails a link with which the person chooses a password, once the transaction is committed.

    `link` makes the address of the page from the link's key. Conflict for who is deactivated.
    """
    policy.require_staff(actor)
    if not user.is_active:
        raise Conflict("They are deactivated.")
    audit.record(OrganizationEvent.PERSON_PASSWORD_LINK_SENT, user, actor=actor)
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    address = link(f"{user_pk_to_url_str(user)}-{token}")
    _mail_after_commit("password_link", user.email, link=address)


@operation()
def end_sessions(user: User, *, actor: Actor) -> None:
    """Signs the person out everywhere; nothing happens where they are signed in nowhere."""
    policy.require_staff(actor)
    sessions = list(UserSession.objects.select_for_update().filter(user=user))
    for session in sessions:
        session.end()
    if sessions:
        audit.record(OrganizationEvent.PERSON_SESSIONS_ENDED, user, actor=actor)


@operation()
def remove_second_factors(user: User, *, actor: Actor) -> None:
    """Removes apps, passkeys and recovery codes, and mails the person about it.

    Whoever asks for it has to have made sure that it is the person who has lost them.
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

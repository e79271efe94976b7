"""What staff do to people. People's own sign-up and settings are not here."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog
from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from organizations import audit, mail, policy
from organizations.actors import Actor
from organizations.events import OrganizationEvent
from organizations.exceptions import Conflict
from organizations.models import User
from organizations.text import clean_name
from organizations.writes import operation

_log = structlog.get_logger(__name__)


@operation()
def save_person(user: User, *, changed: Sequence[str], actor: Actor) -> User:
    """Saves a new or changed person; the event names the fields of `changed`, not their values.

    Raises Forbidden for anybody but staff, Invalid for a name that cannot be kept.
    """
    policy.require_staff(actor)
    adding = user.date_joined is None
    if adding or changed:
        user.name = clean_name(user.name) if user.name.strip() else ""
        user.save()
        if adding or "email" in changed:
            user.vouch_for_email()
        event = OrganizationEvent.PERSON_CREATED if adding else OrganizationEvent.PERSON_UPDATED
        audit.record(event, user, actor=actor, details={"fields": list(changed)})
    return user


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
    _mail_after_commit("password_link", user, link=address)


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
        _mail_after_commit("second_factors_removed", user)
        line = partial(_log.info, "second_factor_removed", person=user.public_id, by="staff")
        transaction.on_commit(line)


def _mail_after_commit(template: str, user: User, **context: Any) -> None:
    transaction.on_commit(partial(mail.send, template, user.email, context))

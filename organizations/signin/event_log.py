"""Logs sign-ins and account changes, and records audit events for changes."""

from typing import Any, Final

import structlog
from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save, pre_save
from django.http import HttpRequest

from core.actors import Actor
from core.request_context import request_context_of
from organizations import services
from organizations.events import OrganizationEvent
from organizations.models import User
from organizations.signin.account_changes import current_change

#: Log events, with the signals that cause them. All of these signals pass the user.
_CHANGES: Final = {
    "signed_out": (user_logged_out,),
    "second_factor_failed": (mfa.authentication_failed,),
    "second_factor_added": (mfa.authenticator_added,),
    "second_factor_removed": (mfa.authenticator_removed,),
    "recovery_codes_renewed": (mfa.authenticator_reset,),
    "password_changed": (account.password_set, account.password_changed, account.password_reset),
    "email_changed": (account.email_changed,),
    "email_added": (account.email_added,),
    "email_confirmed": (account.email_confirmed,),
    "email_removed": (account.email_removed,),
}
#: Log events that are also audit events. Changes of second factors are recorded when their rows
#: change, because allauth sends those signals after the commit.
_RECORDED: Final = {
    "password_changed": OrganizationEvent.PERSON_PASSWORD_CHANGED,
    "email_changed": OrganizationEvent.PERSON_EMAIL_CHANGED,
    "email_added": OrganizationEvent.PERSON_EMAIL_ADDED,
    "email_confirmed": OrganizationEvent.PERSON_EMAIL_CONFIRMED,
    "email_removed": OrganizationEvent.PERSON_EMAIL_REMOVED,
}
_EVENTS: Final = {signal: event for event, signals in _CHANGES.items() for signal in signals}
#: Prefix of the placeholders for unknown IP addresses, and what a session stores instead.
UNKNOWN_IP: Final = "unknown"
_NO_IP: Final = "0.0.0.0"  # noqa: S104 # nosec B104 - nothing listens there
_log = structlog.get_logger(__name__)


def log_sign_ins() -> None:
    """Connects the receivers when the application starts."""
    account.user_logged_in.connect(_signed_in, dispatch_uid="log_signed_in")
    user_login_failed.connect(_failed, dispatch_uid="log_sign_in_failed")
    for signal in _EVENTS:
        signal.connect(_changed, dispatch_uid="log_change")
    post_save.connect(_factor_saved, sender=Authenticator, dispatch_uid="factor_saved")
    post_delete.connect(_factor_deleted, sender=Authenticator, dispatch_uid="factor_deleted")
    pre_save.connect(_keep_valid_ip, sender=UserSession, dispatch_uid="session_ip")


def _keep_valid_ip(instance: UserSession, **_: Any) -> None:
    # The column requires an IP address, and PostgreSQL checks it.
    if str(instance.ip).startswith(UNKNOWN_IP):
        instance.ip = _NO_IP


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    records = get_authentication_records(request, user)
    _log.info("signed_in", person=user.public_id, by=[record["method"] for record in records])


def _failed(**_: Any) -> None:
    # Doesn't log the typed email address: people type passwords there by mistake.
    _log.warning("sign_in_failed")


def _changed(
    signal: Any,
    user: User | None = None,
    request: HttpRequest | None = None,
    email_address: EmailAddress | None = None,
    **_: Any,
) -> None:
    # Audit events don't contain email addresses, because these could not be erased.
    user = user or (email_address.user if email_address else None)
    if user is None:
        return
    name = _EVENTS[signal]
    if name in _RECORDED and request is not None:
        _record(request, user, _RECORDED[name])
    _log.info(name, person=user.public_id)


def _factor_saved(instance: Authenticator, created: bool, **_: Any) -> None:
    if created and instance.type == Authenticator.Type.RECOVERY_CODES:
        _record_own(instance, OrganizationEvent.PERSON_RECOVERY_CODES_RENEWED)
    elif created:
        _record_own(instance, OrganizationEvent.PERSON_SECOND_FACTOR_ADDED)


def _factor_deleted(instance: Authenticator, **_: Any) -> None:
    # Recovery codes are deleted with the last factor, or when new ones are generated.
    if instance.type != Authenticator.Type.RECOVERY_CODES:
        _record_own(instance, OrganizationEvent.PERSON_SECOND_FACTOR_REMOVED)


def _record_own(factor: Authenticator, event: OrganizationEvent) -> None:
    # Only changes by the person. Services record those by staff and by mailed links.
    request = current_change()
    if request is not None and request.user.pk == factor.user_id:
        _record(request, factor.user, event, kind=factor.type)


def _record(request: HttpRequest, user: User, event: OrganizationEvent, **details: str) -> None:
    actor = Actor.person(user.id, str(user), request_context_of(request))
    services.record_account_change(user, event, actor=actor, details=details)

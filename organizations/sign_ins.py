"""One log line for each way in or out of an account, and for each change of its locks."""

from typing import Any, Final

import structlog
from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals as mfa
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.http import HttpRequest

from organizations.models import User

#: What is logged for signals that bring the person, and with it who it was.
_CHANGES: Final = {
    "signed_out": (user_logged_out,),
    "second_factor_failed": (mfa.authentication_failed,),
    "second_factor_added": (mfa.authenticator_added,),
    "second_factor_removed": (mfa.authenticator_removed,),
    "recovery_codes_renewed": (mfa.authenticator_reset,),
    "password_changed": (account.password_set, account.password_changed, account.password_reset),
    "email_changed": (account.email_changed,),
}
_EVENTS: Final = {signal: event for event, signals in _CHANGES.items() for signal in signals}
_log = structlog.get_logger(__name__)


def log_sign_ins() -> None:
    """Begins to listen; for the start of the application."""
    account.user_logged_in.connect(_signed_in, dispatch_uid="log_signed_in")
    user_login_failed.connect(_failed, dispatch_uid="log_sign_in_failed")
    for signal in _EVENTS:
        signal.connect(_changed, dispatch_uid="log_change")


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    records = get_authentication_records(request, user)
    _log.info("signed_in", person=user.public_id, by=[record["method"] for record in records])


def _failed(**_: Any) -> None:
    """Without the address that was typed: people type passwords there, and it may be nobody's."""
    _log.warning("sign_in_failed")


def _changed(signal: Any, user: User | None = None, **_: Any) -> None:
    if user is not None:
        _log.info(_EVENTS[signal], person=user.public_id)

"""Makes changes on allauth's account pages atomic, together with their audit event.

Emails are sent after the commit, so that no transaction waits for a mail server.
"""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver

from core.sqlite_writers import write_lock

#: URL names of allauth's pages that change how a person signs in. Our own views that replace one
#: are wrapped in config/urls.py.
_CHANGES: Final = frozenset(
    {
        "account_reset_password_from_key",
        "account_email",
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_generate_recovery_codes",
        "mfa_add_webauthn",
        "mfa_remove_webauthn",
    }
)
_mails: ContextVar[list[Callable[[], None]] | None] = ContextVar("mails", default=None)
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def current_change() -> HttpRequest | None:
    """The request that is changing its user's account, None outside of one."""
    return _request.get()


def after_change(send: Callable[[], None]) -> None:
    """Sends an email now, or after the current change is committed."""
    held = _mails.get()
    if held is None:
        send()
    else:
        held.append(send)


def atomic_change(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Makes a view's POST one transaction."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        held: list[Callable[[], None]] = []
        tokens = _mails.set(held), _request.set(request)
        try:
            with write_lock(), transaction.atomic():
                response = view(request, *args, **kwargs)
        finally:
            _mails.reset(tokens[0])
            _request.reset(tokens[1])
        for send in held:
            send()
        return response

    return wrapper


def with_atomic_changes(entries: Iterable[Any]) -> list[Any]:
    """Wraps allauth's views that change an account in `atomic_change`."""
    entries = list(entries)
    for entry in entries:
        if isinstance(entry, URLResolver):
            with_atomic_changes(entry.url_patterns)
        elif isinstance(entry, URLPattern) and entry.name in _CHANGES:
            entry.callback = atomic_change(entry.callback)
    return entries

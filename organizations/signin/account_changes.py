"""Changes of one's own account on allauth's pages: each whole, with its audit event, or not at all.

Mails wait until the change is committed, so that no transaction waits for a mail server.
"""

from collections.abc import Callable, Iterable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver

from core.sqlite_writers import turn

#: allauth's pages that change how a person gets in, by the names of their URLs. Views of our own in
#: the place of one are wrapped where their URL is.
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
    """The request that is changing its person's account; None outside of one."""
    return _request.get()


def after_change(send: Callable[[], None]) -> None:
    """Sends a mail now, or after the change that is in progress."""
    held = _mails.get()
    if held is None:
        send()
    else:
        held.append(send)


def whole(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view whose POST is one transaction."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        held: list[Callable[[], None]] = []
        tokens = _mails.set(held), _request.set(request)
        try:
            with turn(), transaction.atomic():
                response = view(request, *args, **kwargs)
        finally:
            _mails.reset(tokens[0])
            _request.reset(tokens[1])
        for send in held:
            send()
        return response

    return wrapper


def with_whole_changes(entries: Iterable[Any]) -> list[Any]:
    """Allauth's URLs, in which the views that change an account are `whole`."""
    entries = list(entries)
    for entry in entries:
        if isinstance(entry, URLResolver):
            with_whole_changes(entry.url_patterns)
        elif isinstance(entry, URLPattern) and entry.name in _CHANGES:
            entry.callback = whole(entry.callback)
    return entries

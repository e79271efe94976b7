"""Sends allauth's emails, and shows an error if the mail server doesn't accept one.

Some are sent in the background, because the time it takes would reveal who has an account.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any, Final

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest

from organizations.mail import background, is_sent

#: Advice per email template. Both templates of a sign-up share one text, and so do those of a
#: reset, to not reveal who has an account.
_SIGN_UP: Final = (
    "We couldn't send the email. In a few minutes, sign in with the same email address and"
    " password. Until your address is confirmed, this sends the email again."
)
_RESET: Final = "We couldn't send the email. Nothing has changed. Try again in a few minutes."
_ADVICE: Final = {
    "account/email/email_confirmation_signup": _SIGN_UP,
    "account/email/account_already_exists": _SIGN_UP,
    "account/email/password_reset_key": _RESET,
    "account/email/unknown_account": _RESET,
    "account/email/email_confirmation": "We couldn't send the email. The address was saved."
    " In a few minutes, select it and choose “Send confirmation again”.",
}
#: Message tag for pages that otherwise say that an email was sent.
UNSENT: Final = "unsent"
_unnoticed: ContextVar[bool] = ContextVar("mail_unnoticed", default=False)


@contextmanager
def in_background() -> Iterator[None]:
    """Sends emails of the block in the background. Pages don't show failures."""
    token = _unnoticed.set(True)
    try:
        yield
    finally:
        _unnoticed.reset(token)


def send_or_show_error(
    request: HttpRequest, send: Callable[[], Any], template: str, email: str
) -> None:
    """Sends an email. If that fails, shows an error on the page and allows a retry."""
    if _unnoticed.get():
        background.submit(copy_context().run, is_sent, send, template)
    elif not is_sent(send, template) and template in _ADVICE:
        messages.error(request, _ADVICE[template], extra_tags=UNSENT)
        # An email that wasn't sent doesn't count towards the limit of one every three minutes.
        ratelimit.clear(request, action="confirm_email", key=email.lower())

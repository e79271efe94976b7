"""Sending allauth's emails: what a page says where the mail server takes none.

Some are sent in the background, because how long that takes would tell who has an account.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from smtplib import SMTPException
from typing import Any, Final

import structlog
from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest

#: By the email: how to get it again. The two of a sign-up say the same, and so do those of a reset.
_SIGN_UP: Final = (
    "We could not send the email. In a few minutes, sign in with the same email address and"
    " password: until the address is confirmed, that sends the email again."
)
_RESET: Final = "We could not send the email. Nothing has changed. Try again in a few minutes."
_ADVICE: Final = {
    "account/email/email_confirmation_signup": _SIGN_UP,
    "account/email/account_already_exists": _SIGN_UP,
    "account/email/password_reset_key": _RESET,
    "account/email/unknown_account": _RESET,
    "account/email/email_confirmation": "We could not send the email. The address is kept."
    " In a few minutes, select it and choose “Send confirmation again”.",
}
#: Marks the message of a page that would say otherwise that an email is on its way.
UNSENT: Final = "unsent"
_unnoticed: ContextVar[bool] = ContextVar("mail_unnoticed", default=False)
background: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
_log = structlog.get_logger(__name__)


@contextmanager
def unnoticed() -> Iterator[None]:
    """Emails of the block are sent in the background, and no page tells of them."""
    token = _unnoticed.set(True)
    try:
        yield
    finally:
        _unnoticed.reset(token)


def send_or_tell(request: HttpRequest, send: Callable[[], Any], template: str, email: str) -> None:
    """Sends an email. Where that fails, the page says how to get it, and it can be asked for."""
    if _unnoticed.get():
        background.submit(copy_context().run, _is_sent, send, template)
    elif not _is_sent(send, template) and template in _ADVICE:
        messages.error(request, _ADVICE[template], extra_tags=UNSENT)
        # One that was not sent does not count: the next may follow within three minutes.
        ratelimit.clear(request, action="confirm_email", key=email.lower())


def _is_sent(send: Callable[[], Any], template: str) -> bool:
    try:
        send()
    except (SMTPException, OSError) as error:
        _log.error("mail_not_sent", mail=template, reason=type(error).__name__)
        return False
    return True

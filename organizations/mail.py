"""Composes emails as text and HTML from one template each, and sends them.

A template's tags (`organizations.templatetags.mail_tags`) add to a `Draft`; what else it renders is
ignored. So both parts always say the same.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from smtplib import SMTPException
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

#: Emails that may wait for the background thread. More are dropped and logged.
_MOST_WAITING: Final = 1_000
_LAYOUT: Final = "mail/layout.html"
#: Auto-responders ignore these (RFC 3834).
_AUTOMATIC: Final = {"Auto-Submitted": "auto-generated"}

background: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")
_places: Final = threading.BoundedSemaphore(_MOST_WAITING)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Words:
    """The same words as plain text and as HTML."""

    text: str
    html: SafeString


@dataclass(frozen=True, slots=True)
class Fact:
    """A label with its value. `is_code` for prefixes and IDs."""

    label: str
    value: str
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, a note, a button or consecutive facts."""

    kind: str
    words: Words | None = None
    label: str = ""
    url: str = ""
    facts: list[Fact] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The part in an email's plain text."""
        if self.kind == "button":
            return f"{self.label}:\n{self.url}"
        if self.kind == "facts":
            return "\n".join(f"{fact.label}: {fact.value}" for fact in self.facts)
        return self.words.text if self.words else ""


@dataclass(slots=True)
class Draft:
    """An email as its template describes it.

    `heading` defaults to the subject. `reason` says why the recipient gets the email.
    """

    subject: str = ""
    heading: str = ""
    reason: Words | None = None
    parts: list[Part] = field(default_factory=list)

    def add_fact(self, fact: Fact) -> None:
        """Adds to the facts before it, or begins new ones."""
        if not self.parts or self.parts[-1].kind != "facts":
            self.parts.append(Part("facts"))
        self.parts[-1].facts.append(fact)

    @property
    def preview(self) -> str:
        """What mailboxes show next to the subject."""
        return next((part.words.text for part in self.parts if part.words), "")

    def text(self, footer: list[str]) -> str:
        """The plain text. Programs recognize the line before the footer and dim what follows."""
        body = "\n\n".join(part.text for part in self.parts)
        reason = [self.reason.text] if self.reason else []
        return "\n".join([body, "", "-- ", *reason, *footer])


def compose(
    template: str,
    to: str,
    context: Mapping[str, Any],
    *,
    headers: Mapping[str, str] | None = None,
) -> EmailMultiAlternatives:
    """The email that a template describes.

    `home` in the context is the URL of the pages, `settings_url` that of the recipient's email
    settings. Both may be missing.
    """
    draft = Draft()
    known = {"site_name": settings.SITE_NAME, "home": settings.SITE_URL, **context, "draft": draft}
    render_to_string(template, known)
    settings_url = known.get("settings_url")
    footer = [f"Change email settings: {settings_url}"] if settings_url else []
    footer.append(" – ".join(filter(None, (known["site_name"], known["home"]))))
    message = EmailMultiAlternatives(
        " ".join(draft.subject.split()),
        draft.text(footer),
        sender(),
        [to],
        headers={**_AUTOMATIC, **(headers or {})},
    )
    message.attach_alternative(render_to_string(_LAYOUT, known), "text/html")
    return message


def sender() -> str:
    """The From header: `DEFAULT_FROM_EMAIL`, with the site's name unless it has a name."""
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return settings.DEFAULT_FROM_EMAIL if name else formataddr((settings.SITE_NAME, address))


def send(template: str, to: str, context: dict[str, Any]) -> bool:
    """Sends an email of this app. Logs failures and returns False."""
    message = compose(f"organizations/mail/{template}.html", to, context)
    return is_sent(message.send, template)


def send_in_background(make: Callable[[], EmailMultiAlternatives], name: str) -> None:
    """Composes and sends an email in another thread, in the order of the calls."""
    if not _places.acquire(blocking=False):
        _log.error("mail_not_sent", mail=name, reason="too many waiting")
        return
    background.submit(copy_context().run, _send_waiting, make, name)


def _send_waiting(make: Callable[[], EmailMultiAlternatives], name: str) -> None:
    try:
        is_sent(lambda: make().send(), name)
    except Exception as error:  # noqa: BLE001 - the future's exception is never read
        _log.error("mail_not_sent", mail=name, reason=type(error).__name__)
    finally:
        _places.release()


def is_sent(send: Callable[[], Any], name: str) -> bool:
    """Whether `send` succeeds. Logs failures of the mail server."""
    try:
        send()
    except (SMTPException, OSError) as error:
        _log.error("mail_not_sent", mail=name, reason=type(error).__name__)
        return False
    return True

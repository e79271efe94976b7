"""Emails that a test has caused, also those from the background."""

from django.core import mail
from django.core.mail import EmailMultiAlternatives

from organizations.mail import background


def sent() -> list[EmailMultiAlternatives]:
    """All emails so far, in order."""
    background.submit(bool).result()
    return [one for one in mail.outbox if isinstance(one, EmailMultiAlternatives)]


def html_of(message: EmailMultiAlternatives) -> str:
    """The HTML part, with single spaces."""
    ((content, kind),) = message.alternatives
    assert kind == "text/html"
    return " ".join(str(content).split())


def body_of(message: EmailMultiAlternatives) -> str:
    """The plain text above the footer."""
    return str(message.body).partition("\n-- \n")[0]

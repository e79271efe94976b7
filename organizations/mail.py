"""Sends plain-text emails."""

from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

_log = structlog.get_logger(__name__)


def send(template: str, to: str, context: dict[str, Any]) -> bool:
    """Sends an email whose first line is the subject. Logs failures and returns False."""
    text = render_to_string(
        f"organizations/mail/{template}.txt", {"site_name": settings.SITE_NAME, **context}
    )
    subject, _, body = text.strip().partition("\n")
    try:
        send_mail(subject, body.lstrip(), None, [to])
    except (SMTPException, OSError) as error:
        _log.error("mail_not_sent", mail=template, reason=type(error).__name__)
        return False
    return True

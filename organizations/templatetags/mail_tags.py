"""Filters that make strangers' texts safe for emails."""

from django import template

from organizations.email_names import SHOWN, text_for_email

register = template.Library()


@register.filter
def quoted(value: object) -> str:
    """A name in quotation marks, cut to length, without links."""
    return f"“{text_for_email(str(value))}”"


@register.filter
def unlinked(value: object, length: int = SHOWN) -> str:
    """Other text, cut to length, without links."""
    return text_for_email(str(value), length)

"""How emails show texts that strangers have chosen."""

from django import template

from organizations.email_names import SHOWN, in_mail

register = template.Library()


@register.filter
def quoted(value: object) -> str:
    """A name in quotation marks, cut, without links."""
    return f"“{in_mail(str(value))}”"


@register.filter
def unlinked(value: object, length: int = SHOWN) -> str:
    """Any other text, cut, without links."""
    return in_mail(str(value), length)

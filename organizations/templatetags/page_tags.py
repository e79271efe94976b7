"""Template tags for times, messages and values."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django import template
from django.contrib.messages.storage.base import Message
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.timestamps import distance, rfc3339, stamp

register = template.Library()


@register.simple_tag
def moment(value: datetime | None, *, full: bool = False) -> SafeString | str:
    """A `<time>` element: the day with the full time as its title, or the full time."""
    if value is None:
        return ""
    utc = value.astimezone(UTC)
    day = f"{utc.day} {utc:%b %Y}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        rfc3339(utc),
        stamp(utc),
        stamp(utc) if full else day,
    )


@register.simple_tag
def ago(value: datetime) -> str:
    """Time since or until `value`, in one unit: ``3 days ago``, ``in 2 hours``."""
    now = timezone.now()
    if value > now:
        return f"in {distance(now, value) or 'less than a minute'}"
    since = distance(value, now)
    return f"{since} ago" if since else "just now"


@register.filter
def initials(name: object) -> str:
    """The first letters of the first and last words, in capitals."""
    words = str(name).split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


@register.filter
def with_tag(messages: Iterable[Message], tag: str) -> bool:
    """Whether any message has the tag."""
    return any(tag in message.tags.split() for message in messages)


@register.filter
def message_kind(level: str) -> str:
    """The CSS kind of a message level. Empty for information."""
    return {"success": "ok", "warning": "warn", "error": "bad"}.get(level, "")


@register.filter
def fact(value: Any) -> SafeString | str:
    """A value for display: times in full, lists joined by commas, “None” if empty."""
    if isinstance(value, datetime):
        return moment(value, full=True)
    if isinstance(value, list):
        return ", ".join(value)
    return str(value) if value else "None"

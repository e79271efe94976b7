"""Template tags for times, messages and values."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django import template
from django.contrib.messages.storage.base import Message
from django.template.defaultfilters import capfirst
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.timestamps import distance, rfc3339, stamp
from core.user_agents import describe

register = template.Library()
register.filter("device", describe)
#: A permission in a sentence, not one in a quoted name.
_PERMISSION: Final = re.compile(r"(?<![\w“:-])([a-z][a-z-]*:[a-z][a-z-]*)(?![\w:”-])")


@register.simple_tag
def moment(
    value: datetime | None,
    *,
    full: bool = False,
    short: bool = False,
    hour: bool = False,
    in_utc: bool = False,
) -> SafeString | str:
    """A `<time>` element: the day with the full time as its title, or the full time.

    With `short`, the time without the year, for moments of the next days. With `hour`, the whole
    hour that begins then.

    `static/js/times.js` changes it to the reader's time zone, except with `in_utc`, and except for
    midnights without their time, which stand for days.
    """
    if value is None:
        return ""
    utc = value.astimezone(UTC)
    if full:
        return _time(utc, "" if in_utc else "full", stamp(utc))
    if hour:
        end = f"{utc + timedelta(hours=1):%H:%M}"
        return _time(utc, "hour", f"{utc.day} {utc:%b %Y, %H:%M}–{end} UTC")
    if short:
        return _time(utc, "short", f"{utc.day} {utc:%b, %H:%M}")
    is_day = in_utc or utc.time() == time()
    return _time(utc, "" if is_day else "day", f"{utc.day} {utc:%b %Y}")


@register.simple_tag
def ago(value: datetime, *, capital: bool = False) -> SafeString:
    """Time since or until `value`, in one unit: ``3 days ago``, ``in 2 hours``.

    A `<time>` element with the moment as its title. `capital` is for the beginning of a line.
    """
    now = timezone.now()
    if value > now:
        text = f"in {distance(now, value) or 'less than a minute'}"
    else:
        since = distance(value, now)
        text = f"{since} ago" if since else "just now"
    return _time(value, "ago", capfirst(text) if capital else text)


def _time(value: datetime, kind: str, text: str) -> SafeString:
    kinds = format_html(' data-time="{}"', kind) if kind else ""
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>', rfc3339(value), stamp(value), kinds, text
    )


@register.filter
def codes(text: str) -> SafeString:
    """`text` with the permissions in it, such as ``keys:read``, as code that doesn't break."""
    parts = enumerate(_PERMISSION.split(text))
    code = '<code class="nowrap">{}</code>'
    return format_html_join(
        "", "{}", ((format_html(code, part) if place % 2 else part,) for place, part in parts)
    )


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

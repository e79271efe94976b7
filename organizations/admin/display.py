"""How lists and pages of the admin show states, times and texts of two lines."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.apps import apps
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from heroicons.templatetags.heroicons import heroicon_micro

from core.timestamps import rfc3339, stamp
from core.user_agents import describe

#: Kind of a state → icon, where the state names no other.
_ICONS: Final = {"ok": "check-circle", "warn": "clock", "bad": "x-circle", "off": "pause-circle"}


def state(kind: str, words: str, icon: str = "") -> SafeString:
    """A state as icon and words. Its color repeats what they say."""
    drawn = heroicon_micro(icon or _ICONS[kind], aria_hidden="true")
    return format_html('<span class="state {}">{} {}</span>', kind, mark_safe(drawn), words)  # noqa: S308  # nosec B308 B703


def two_lines(first: object, second: object) -> SafeString:
    """A fact, and a detail below it if there is one."""
    if not second:
        return format_html("{}", first)
    return format_html('{}<span class="second">{}</span>', first, second)


def moment(value: datetime | None, otherwise: str = "–") -> SafeString | str:
    """Day and time of day in two lines, in UTC."""
    if value is None:
        return otherwise
    day, _, time = stamp(value).partition(", ")
    return format_html(
        '<time datetime="{}">{}<span class="second">{}</span></time>', rfc3339(value), day, time
    )


def client(user_agent: str) -> SafeString | str:
    """A browser or program in words, above the header that names it."""
    return two_lines(describe(user_agent), user_agent) if user_agent else "–"


def in_words(kind: str) -> str:
    """The name of a model class in words: ``API key`` for ``ApiKey``."""
    model = next((model for model in apps.get_models() if model.__name__ == kind), None)
    # Django's documented name
    return capfirst(str(model._meta.verbose_name)) if model else kind  # noqa: SLF001


#: Words in the stored names of events → words of the pages.
_SAME: Final = {
    "trail addresses erased": "IP addresses erased from the log",
    "person forgotten": "user anonymized",
    "emails chosen": "email settings changed",
    "retired secret": "old secret",  # pragma: allowlist secret
    "second factor": "two-factor method",
    "person ": "user ",
    "api ": "API ",
}


def event_in_words(name: str) -> str:
    """The name of an event in words: ``API key created`` for ``api_key.created``."""
    words = name.replace(".", " ").replace("_", " ")
    for stored, shown in _SAME.items():
        words = words.replace(stored, shown)
    return capfirst(words)


def link_to(kind: str, pk: UUID | None, label: object) -> SafeString | str:
    """A link to the page of the object with that class name, or its label if it has no page."""
    for model in apps.get_models() if pk else ():
        if model.__name__ == kind and admin.site.is_registered(model):
            opts = model._meta  # noqa: SLF001 - Django's documented name
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[pk])
            return format_html('<a href="{}">{}</a>', url, label)
    return str(label)

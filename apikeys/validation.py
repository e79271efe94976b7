"""Validates the fields of keys and templates, for every interface."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from apikeys import conf
from apikeys.scopes import clean_scopes
from core.exceptions import ErrorCode, Invalid, Problem
from core.text import clean_name, clean_text, require_text

METADATA_ENTRIES: Final = 50
METADATA_KEY_LENGTH: Final = 40
METADATA_VALUE_LENGTH: Final = 500
SHORTEST_LIFE: Final = timedelta(seconds=60)
LONGEST_LIFE: Final = timedelta(days=3653)
_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-5][0-9])"
)


def read_timestamp(text: str, field: str = "expires_at") -> datetime:
    """An RFC 3339 date-time with an offset, in UTC, or Invalid."""
    message = "Give a date and time with a time zone, such as 2027-01-31T12:00:00Z."
    if not _RFC3339.fullmatch(text):
        raise Invalid.field(field, message)
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid.field(field, message) from None


def clean_expiry(value: datetime | None, field: str = "expires_at") -> datetime | None:
    """A time more than 60 seconds and at most ten years ahead, or None. Raises Invalid."""
    if value is None:
        return None
    ahead = value - timezone.now()
    if ahead <= SHORTEST_LIFE:
        raise Invalid.field(field, "Choose a moment more than 60 seconds from now.")
    if ahead > LONGEST_LIFE:
        raise Invalid.field(field, "Choose a moment at most ten years from now.")
    return value


def clean_metadata(value: object) -> dict[str, str]:
    """A dict of at most 50 strings, unchanged, or Invalid."""
    if not isinstance(value, dict):
        raise Invalid.field("metadata", "Give an object of names and text values.")
    if len(value) > METADATA_ENTRIES:
        raise Invalid.field("metadata", f"Use {METADATA_ENTRIES} entries or fewer.")
    for key, text in value.items():
        _check_metadata_entry(key, text)
    return value


def _check_metadata_entry(key: str, value: object) -> None:
    require_text(key, "metadata", METADATA_KEY_LENGTH)
    if not key.strip():
        raise Invalid.field("metadata", "Give every entry a name.")
    if not isinstance(value, str):
        raise Invalid.field(f"metadata.{key}", "Give text; numbers and others need quotes.")
    require_text(value, f"metadata.{key}", METADATA_VALUE_LENGTH)


def clean_lifetime_days(value: int | None) -> int | None:
    """Whole days from 1 to 3650, or None for no expiry. Raises Invalid."""
    if value is not None and not 1 <= value <= 3650:
        raise Invalid.field("lifetime_days", "Choose from 1 to 3650 days, or none.")
    return value


_CLEANERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": clean_name,
    "description": lambda value: clean_text(value, "description"),
    "scopes": lambda value: clean_scopes(value, conf.scopes()),
    "metadata": clean_metadata,
    "expires_at": clean_expiry,
    "lifetime_days": clean_lifetime_days,
    "enabled": bool,
}


def clean_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """All of `given`, cleaned. Raises Invalid with every problem."""
    cleaned: dict[str, Any] = {}
    problems: list[Problem] = []
    for field, value in given.items():
        try:
            cleaned[field] = _CLEANERS[field](value)
        except Invalid as refusal:
            problems += refusal.problems
    if problems:
        first = problems[0]
        raise Invalid(first.message, code=ErrorCode(first.code), problems=problems)
    return cleaned

"""How moments are written for people."""

from datetime import UTC, datetime


def stamp(value: datetime) -> str:
    """A moment to the minute with its zone: ``4 Nov 2026, 14:05 UTC``."""
    moment = value.astimezone(UTC)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"

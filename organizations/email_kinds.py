"""Kinds of emails that people can turn off. Apps register theirs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class EmailKind:
    """`label` and `help_text` are shown on the page of email settings."""

    name: str
    label: str
    help_text: str


_kinds: Final[dict[str, EmailKind]] = {}


def register(kind: EmailKind) -> EmailKind:
    """Adds a kind to the page, after those that are registered."""
    _kinds[kind.name] = kind
    return kind


def every_kind() -> list[EmailKind]:
    """All kinds of this installation."""
    return list(_kinds.values())


def find_kind(name: str) -> EmailKind | None:
    """The kind with this name."""
    return _kinds.get(name)

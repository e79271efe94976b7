"""Rejects passwords that consist mostly of site-specific words."""

from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError

#: Characters that must remain without the barred words.
LEAST: Final = 8
#: Shorter words are part of too many other words.
_SHORTEST_WORD: Final = 4
#: Look-alike characters are treated as the same.
_LOOK_ALIKES: Final = str.maketrans("@43!|l10$57", "aaeiiiiosst")


class BarredWordsValidator:
    """Rejects passwords that are too short without site-specific words.

    Those are `PASSWORD_BARRED_WORDS` and the names of the user's organizations. They are removed
    rather than forbidden: a word within a long password does no harm.
    """

    def validate(self, password: str, user: Any = None) -> None:
        refuse_words(password, [*settings.PASSWORD_BARRED_WORDS, *_organizations_of(user)])

    def get_help_text(self) -> str:
        return (
            f"Use at least {LEAST} characters besides words like “{settings.SITE_NAME}” or your"
            " organization's name."
        )


def refuse_words(password: str, words: Iterable[str]) -> None:
    """Raises ValidationError if too little remains of `password` without `words`."""
    rest = whole = _folded(password)
    for word in sorted(_parts(words), key=len, reverse=True):
        rest = rest.replace(word, " ")
    if rest != whole and len(rest.replace(" ", "")) < LEAST:
        raise ValidationError(
            "This password consists mostly of words that are easy to guess here. Use at least"
            f" {LEAST} characters besides them.",
            code="password_barred_words",
        )


def _parts(names: Iterable[str]) -> set[str]:
    """Each name as one word, and the words it consists of."""
    found = {part for name in names for part in ("".join(name.split()), *name.split())}
    return {_folded(part) for part in found if len(part) >= _SHORTEST_WORD}


def _folded(text: str) -> str:
    return text.casefold().translate(_LOOK_ALIKES)


def _organizations_of(user: Any) -> list[str]:
    if getattr(user, "date_joined", None) is None:  # no user, or not saved yet
        return []
    return list(user.memberships.values_list("organization__name", flat=True))

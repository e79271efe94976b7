"""Words that people around an installation would choose carry no part of a password."""

from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError

#: What has to be left of a password without the barred words in it.
LEAST: Final = 8
#: A shorter word is a part of too many others.
_SHORTEST_WORD: Final = 4
#: Look-alikes are one character; each of a word and of a password becomes one of another.
_LOOK_ALIKES: Final = str.maketrans("@43!|l10$57", "aaeiiiiosst")


class BarredWordsValidator:
    """Refuses what is short without the words of `PASSWORD_BARRED_WORDS` and one's organizations.

    A word within a long password is no harm, so that it is taken out and not forbidden.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError for a password that is little more than such words."""
        refuse_words(password, [*settings.PASSWORD_BARRED_WORDS, *_organizations_of(user)])

    def get_help_text(self) -> str:
        """For forms that list the rules."""
        return (
            f"Your password needs {LEAST} characters beside words such as “{settings.SITE_NAME}”"
            " or the name of your organization."
        )


def refuse_words(password: str, words: Iterable[str]) -> None:
    """Raises ValidationError where barred `words` leave too little of `password`."""
    rest = whole = _folded(password)
    for word in sorted(_parts(words), key=len, reverse=True):
        rest = rest.replace(word, " ")
    if rest != whole and len(rest.replace(" ", "")) < LEAST:
        raise ValidationError(
            f"This password is little more than words that are easy to guess here. Use at least"
            f" {LEAST} characters beside them.",
            code="password_barred_words",
        )


def _parts(names: Iterable[str]) -> set[str]:
    """Each name in one word, and the words that it is made of."""
    found = {part for name in names for part in ("".join(name.split()), *name.split())}
    return {_folded(part) for part in found if len(part) >= _SHORTEST_WORD}


def _folded(text: str) -> str:
    return text.casefold().translate(_LOOK_ALIKES)


def _organizations_of(user: Any) -> list[str]:
    if getattr(user, "date_joined", None) is None:  # nobody, or not saved so far
        return []
    return list(user.memberships.values_list("organization__name", flat=True))

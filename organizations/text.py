"""What people may write: names and free text, cleaned the same way for every face."""

import unicodedata
from typing import Final

from organizations.exceptions import ErrorCode, Invalid
from organizations.redaction import holds_secret

NAME_LENGTH: Final = 100
TEXT_LENGTH: Final = 500
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: What words and emoji need of Cf; the rest, such as zero-width spaces, makes names look alike.
_JOINERS: Final = frozenset("\u200c\u200d") | {chr(c) for c in range(0xE0020, 0xE0080)}
_LAYOUT: Final = "\n\r\t"
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_INVISIBLE: Final = frozenset({"Cf", "Mn", "Me", "Zs"})
#: Letters and symbols by category, drawn as nothing: Hangul fillers, the empty Braille cell.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def clean_name(value: str, field: str = "name") -> str:
    """A trimmed, NFC-normalized, visible, single-line name of 1 to 100 characters, or Invalid."""
    _require_printable(value, field)
    name = unicodedata.normalize("NFC", value).strip()
    if all(unicodedata.category(c) in _INVISIBLE or c in _BLANK for c in name):
        raise Invalid.field(field, "Enter a name of 1 to 100 characters.", ErrorCode.REQUIRED)
    if any(unicodedata.category(c) == "Cf" and c not in _JOINERS for c in name):
        raise Invalid.field(field, "Remove the invisible characters.")
    _require_length(name, NAME_LENGTH, field)
    return name


def clean_text(value: str, field: str, length: int = TEXT_LENGTH) -> str:
    """Trimmed text that may have several lines, of at most `length` characters, or Invalid."""
    _require_printable(value, field, allowed=_LAYOUT)
    text = unicodedata.normalize("NFC", value).strip()
    _require_length(text, length, field)
    return text


def require_text(value: str, field: str, length: int = TEXT_LENGTH) -> None:
    """Invalid for text that cannot be kept exactly as given: every character of it counts."""
    _require_printable(value, field, allowed=_LAYOUT)
    _require_length(value, length, field)


def name_key(name: str) -> str:
    """What two names are compared by: the same for names that differ only in case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).strip().casefold())


def _require_printable(value: str, field: str, allowed: str = "") -> None:
    if any(
        (unicodedata.category(c) in _UNPRINTABLE or c in _BIDI) and c not in allowed for c in value
    ):
        raise Invalid.field(field, "Remove the control or text-direction characters.")
    if holds_secret(value):
        message = "This contains an API key. Keys are secrets: take it out, and rotate that key."
        raise Invalid.field(field, message, ErrorCode.CONTAINS_SECRET)


def _require_length(value: str, length: int, field: str) -> None:
    if len(value) > length:
        message = f"Use {length} characters or fewer. You have used {len(value)}."
        raise Invalid.field(field, message)

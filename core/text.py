"""Cleans names, free text and email addresses the same way for every interface."""

import re
import unicodedata
from typing import Final

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.exceptions import ErrorCode, Invalid
from core.redaction import holds_secret

NAME_LENGTH: Final = 100
TEXT_LENGTH: Final = 500
EMAIL_LENGTH: Final = 254
#: RFC 5322's dot-atom without "/", "?" and "`". Quoted local parts can contain links and spell one
#: mailbox in many ways; a slash or a question mark can make a link too.
_ATOM: Final = r"[a-z0-9!#$%&'*+=^_{|}~-]+"
_PLAIN_LOCAL_PART: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
#: Longer than any real password. Hashing longer ones only costs CPU time.
PASSWORD_LENGTH: Final = 1000
#: The most characters that one character decomposes into (U+1F82, for example).
_MOST_PARTS: Final = 4
#: The most combining marks in a row in stream-safe text (UAX #15, 13). No language needs as many.
_MOST_MARKS: Final = 30
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: Cf characters that words and emoji need. Others, such as zero-width spaces, only disguise names.
_JOINERS: Final = frozenset("\u200c\u200d") | {chr(c) for c in range(0xE0020, 0xE0080)}
_LAYOUT: Final = "\n\r\t"
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_INVISIBLE: Final = frozenset({"Cf", "Mn", "Me", "Zs"})
#: Letters and symbols that are invisible: Hangul fillers and the blank Braille cell.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def clean_name(value: str, field: str = "name") -> str:
    """A trimmed, NFC-normalized, visible, single-line name of 1 to 100 characters, or Invalid."""
    trimmed = value.strip(" ")
    _require_normalizable(trimmed, NAME_LENGTH, field)
    _require_few_marks(trimmed, field)
    _require_printable(trimmed, field)
    name = unicodedata.normalize("NFC", trimmed).strip()
    if all(unicodedata.category(c) in _INVISIBLE or c in _BLANK for c in name):
        raise Invalid.field(field, "Enter a name of 1 to 100 characters.", ErrorCode.REQUIRED)
    if any(unicodedata.category(c) == "Cf" and c not in _JOINERS for c in name):
        raise Invalid.field(field, "Remove the invisible characters.")
    _require_length(name, NAME_LENGTH, field)
    return name


def clean_text(value: str, field: str, length: int = TEXT_LENGTH) -> str:
    """Trimmed, NFC-normalized text of at most `length` characters, or Invalid. May be multiline."""
    trimmed = value.strip(" " + _LAYOUT)
    _require_normalizable(trimmed, length, field)
    _require_few_marks(trimmed, field)
    _require_printable(trimmed, field, allowed=_LAYOUT)
    text = unicodedata.normalize("NFC", trimmed).strip()
    _require_length(text, length, field)
    return text


def require_text(value: str, field: str, length: int = TEXT_LENGTH) -> None:
    """Raises Invalid for text that can't be stored unchanged."""
    _require_normalizable(value, length, field)  # first, so that an API key gets its own message
    _require_few_marks(value, field)
    _require_printable(value, field, allowed=_LAYOUT)
    _require_length(value, length, field)


def canonical_email(value: str) -> str:
    """The form in which email addresses are stored and compared: trimmed, in lower case.

    The domain is in ASCII, which is the same for all its spellings (“bücher.example”, full-width
    letters).

    Compare it by equality. A case-insensitive comparison of the database takes letters such as the
    dotless i (U+0131) for ASCII letters, and confuses mailboxes.
    """
    local, at, domain = value.strip().lower().rpartition("@")
    return f"{local}{at}{_ascii_domain(domain)}"


def mailbox_of(email: str) -> str:
    """The mailbox of a canonical email address, without what follows a “+” before the @."""
    local, _, domain = email.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def clean_email(value: str, field: str = "email") -> str:
    """The canonical form of a new email address, or Invalid.

    Addresses stored before this rule keep working.
    """
    require_ascii_local_part(value, field)
    email = canonical_email(value)
    require_text(email, field, EMAIL_LENGTH)
    try:
        validate_email(email)
    except ValidationError:
        message = "Enter an email address like name@example.com."
        raise Invalid.field(field, message) from None
    _require_plain(email, field)
    return email


def _require_plain(email: str, field: str) -> None:
    local, _, domain = email.rpartition("@")
    if not _PLAIN_LOCAL_PART.fullmatch(local):
        message = "Remove quotation marks, slashes, question marks and backticks before the @."
        raise Invalid.field(field, message)
    if domain.startswith("["):
        message = "Use a domain such as example.com after the @, not an IP address."
        raise Invalid.field(field, message)


def require_ascii_local_part(value: str, field: str = "email") -> None:
    """Raises Invalid for non-ASCII letters before the @. Few mail servers accept them."""
    local = value.strip().rpartition("@")[0]
    if not local.isascii():
        message = "Use only unaccented letters (a-z), digits and symbols before the @."
        raise Invalid.field(field, message)


def _ascii_domain(domain: str) -> str:
    """The ASCII form, or `domain` unchanged if it is invalid. Validation reports that later."""
    if domain.isascii() or len(domain) > EMAIL_LENGTH:  # the length bounds the work
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return domain


def name_key(name: str, field: str = "name") -> str:
    """The form in which names are compared, ignoring case. Raises Invalid if it is too long."""
    trimmed = name.strip()
    _require_normalizable(trimmed, NAME_LENGTH, field)
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", trimmed).casefold())


def is_normalizable(text: str, length: int) -> bool:
    """Whether `text` may have at most `length` characters after normalization.

    Normalizing a run of combining marks takes quadratic time, so the raw length must be limited
    first. Decomposed text (NFD: Hangul, Vietnamese) uses at most four characters per composed one,
    so text beyond that limit is too long in every form.
    """
    return len(text) <= length * _MOST_PARTS


def _require_normalizable(text: str, length: int, field: str) -> None:
    if not is_normalizable(text, length):
        _require_length(text, length, field)


def _require_few_marks(text: str, field: str) -> None:
    if not text.isascii() and _stacks_marks(text):
        raise Invalid.field(field, "Remove some of the accents that are stacked on one letter.")


def _stacks_marks(text: str) -> bool:
    """Whether more marks follow one another than stream-safe text has.

    Normalization sorts them, in time that grows with the square of their number.
    """
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MOST_MARKS:
            return True
    return False


def _require_printable(value: str, field: str, allowed: str = "") -> None:
    if any(
        (unicodedata.category(c) in _UNPRINTABLE or c in _BIDI) and c not in allowed for c in value
    ):
        raise Invalid.field(field, "Remove the control or text-direction characters.")
    if holds_secret(value):
        message = "This contains an API key. Remove it and rotate that key."
        raise Invalid.field(field, message, ErrorCode.CONTAINS_SECRET)


def _require_length(value: str, length: int, field: str) -> None:
    if len(value) > length:
        message = f"Use {length} characters or fewer. You have used {len(value)}."
        raise Invalid.field(field, message)

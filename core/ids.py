"""Identifiers: UUIDv7 in the database, ``prefix_`` + 22 base-62 characters in public text."""

import uuid
from datetime import UTC, datetime
from typing import Final

import uuid_utils
from uuid_utils.compat import uuid7

BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES: Final = {character: value for value, character in enumerate(BASE62)}
_PAIRS: Final = [first + second for first in BASE62 for second in BASE62]
_LENGTH: Final = 22
_UUID_LENGTH: Final = 36
#: A UUIDv7 begins with 48 bits of Unix time in milliseconds (RFC 9562, 5.7).
_TIME_SHIFT: Final = 80


def new_id() -> uuid.UUID:
    """A UUIDv7, which sorts by creation time."""
    return uuid7()


def first_id(moment: datetime) -> uuid.UUID:
    """The smallest UUIDv7 that can have been created at or after `moment`."""
    return uuid.UUID(int=max(0, int(moment.timestamp() * 1000)) << _TIME_SHIFT)


def made_at(value: uuid.UUID) -> datetime:
    """The creation time of a UUIDv7, in milliseconds."""
    return datetime.fromtimestamp((value.int >> _TIME_SHIFT) / 1000, UTC)


def base62(number: int, length: int) -> str:
    """`number` in base 62, left-padded with zeros to `length` characters."""
    digits = []
    for _ in range(length // 2):  # in pairs: half as many divisions
        number, pair = divmod(number, 3844)
        digits.append(_PAIRS[pair])
    if length % 2:
        digits.append(BASE62[number % 62])
    return "".join(reversed(digits))


def public_id(prefix: str, value: uuid.UUID) -> str:
    """The public form of `value`. `read_id` reverses it."""
    return f"{prefix}_{base62(value.int, _LENGTH)}"


def new_public_id(prefix: str) -> str:
    """A public ID without a database row."""
    return f"{prefix}_{base62(uuid_utils.uuid7().int, _LENGTH)}"


def read_id(prefix: str, text: str) -> uuid.UUID | None:
    """The UUID of a public ID or a hyphenated UUID. None for anything else.

    Exactly one spelling of each form is accepted, so that an object never has two URLs.
    """
    if len(text) == _UUID_LENGTH:
        return _read_uuid(text)
    head, _, body = text.partition("_")
    if head != prefix or len(body) != _LENGTH or not all(c in _VALUES for c in body):
        return None
    number = 0
    for character in body:
        number = number * 62 + _VALUES[character]
    return uuid.UUID(int=number) if number < 1 << 128 else None


def _read_uuid(text: str) -> uuid.UUID | None:
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return value if str(value) == text else None

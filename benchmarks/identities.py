"""Secrets of the benchmark's rows, derived from their numbers, so that none is stored.

They are valid only in the benchmark's own databases.
"""

import base64
import hashlib
from typing import Final
from uuid import UUID

from apikeys import tokens
from core.ids import base62

_SEED: Final = b"benchmark"
_TO_LETTERS: Final = bytes.maketrans(b"-_", b"Aa")
_BEGAN: Final = 1_767_225_600_000  # the first moment of 2026, in milliseconds
#: Coprime to 62, so that each number has a different prefix.
_SPREAD: Final = 73_244_475_003_887
_PREFIXES: Final = 62**8


def _letters(kind: bytes, number: int) -> str:
    """43 letters and digits."""
    digest = hashlib.sha256(b"%s:%s:%d" % (_SEED, kind, number)).digest()
    return base64.urlsafe_b64encode(digest).translate(_TO_LETTERS)[:43].decode("ascii")


def our_secret(number: int) -> str:
    """The secret of a Latchkey API key."""
    body = "sig_live_" + _letters(b"ours", number)[: tokens.RANDOM_LENGTH]
    return body + tokens.checksum(body)


def unknown_secret(number: int) -> str:
    """A well-formed secret that is in no row."""
    body = "sig_live_" + _letters(b"unknown", number)[: tokens.RANDOM_LENGTH]
    return body + tokens.checksum(body)


def peer_key(number: int) -> str:
    """A key of djangorestframework-api-key: prefix, dot, secret."""
    prefix = base62(number * _SPREAD % _PREFIXES, 8)
    return f"{prefix}.{_letters(b'drf-api-key', number)[:32]}"


def knox_token(number: int) -> str:
    """A token of django-rest-knox: 64 hexadecimal digits."""
    return hashlib.sha256(b"%s:knox:%d" % (_SEED, number)).hexdigest()


def row_id(kind: int, number: int) -> UUID:
    """A UUIDv7 as the row would have got. Row IDs are a millisecond apart."""
    low = int.from_bytes(hashlib.sha256(b"%d:%d" % (kind, number)).digest()[:8], "big")
    head = (_BEGAN + number) << 80 | 0x7 << 76 | (kind & 0xFFF) << 64
    return UUID(int=head | 0b10 << 62 | low & (1 << 62) - 1)

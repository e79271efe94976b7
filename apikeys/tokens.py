"""The format of a secret, its checksum and its keyed digest.

``<brand>_<environment>_`` + 34 random base-62 characters + 6 base-62 characters of the CRC-32 of
everything before them. The checksum detects typos without a query. It is not secret.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from core.ids import BASE62, base62

RANDOM_LENGTH: Final = 34
CHECKSUM_LENGTH: Final = 6
BODY_LENGTH: Final = RANDOM_LENGTH + CHECKSUM_LENGTH
SHOWN_LENGTH: Final = 4
#: What `displayed_prefix` leaves away.
HIDDEN_LENGTH: Final = BODY_LENGTH - SHOWN_LENGTH
MINIMUM_PEPPER_BYTES: Final = 32
BRAND: Final = re.compile(r"[a-z][a-z0-9]{0,15}")
#: Of the CRC-32 that zlib computes, its bits in reversed order.
_CRC_POLYNOMIAL: Final = 0xEDB88320
_BODY: Final = f"[0-9A-Za-z]{{{BODY_LENGTH}}}"
#: Any brand: keys created before a change of the brand keep working.
_SHAPE: Final = re.compile(rf"{BRAND.pattern}_(?:live|test)_{_BODY}", re.ASCII)


class Environment(StrEnum):
    """The environment of a key. Part of its secret."""

    LIVE = "live"
    TEST = "test"


def generate(brand: str, environment: Environment) -> str:
    """A new secret with about 202 bits from the operating system's random source."""
    random = "".join(secrets.choice(BASE62) for _ in range(RANDOM_LENGTH))
    body = f"{brand}_{environment}_{random}"
    return body + checksum(body)


def checksum(body: str) -> str:
    """The last six characters of a secret that starts with `body`."""
    return base62(zlib.crc32(body.encode("ascii")), CHECKSUM_LENGTH)


def has_shape(presented: str) -> bool:
    """Whether `presented` looks like a secret, without checking its checksum."""
    return bool(_SHAPE.fullmatch(presented))


def is_well_formed(presented: str) -> bool:
    """Whether `presented` has the shape and the checksum of a secret."""
    return has_shape(presented) and has_checksum(presented)


def has_checksum(shaped: str) -> bool:
    """Whether text in the format of a secret has a valid checksum."""
    return checksum(shaped[:-CHECKSUM_LENGTH]) == shaped[-CHECKSUM_LENGTH:]


def format_for_scripts() -> dict[str, str | int]:
    """What a script needs to do what `is_well_formed` does."""
    return {
        "pattern": _SHAPE.pattern,
        "digits": BASE62,
        "polynomial": _CRC_POLYNOMIAL,
        "checksum_length": CHECKSUM_LENGTH,
    }


def displayed_prefix(secret: str) -> str:
    """The part that may be shown and kept: brand, environment, first four random characters."""
    return secret[:-HIDDEN_LENGTH]


def scanning_pattern(brand: str) -> str:
    """A regular expression for secret scanners."""
    return rf"\b{brand}_(?:live|test)_{_BODY}\b"


@dataclass(frozen=True, slots=True)
class Peppers:
    """Numbered keys of the digest, stored outside the database. Not shown by `repr`."""

    newest: int
    values: Mapping[int, bytes]

    def __repr__(self) -> str:
        return f"Peppers(newest={self.newest}, numbers={sorted(self.values)})"

    def digest(self, secret: str, number: int) -> bytes:
        """HMAC-SHA-256 of `secret` with pepper `number`: 32 bytes."""
        keyed = _keyed(self.values[number]).copy()
        keyed.update(secret.encode("ascii"))
        return keyed.digest()

    def digests(self, secret: str) -> list[bytes]:
        """The digests of `secret` with every pepper."""
        return [self.digest(secret, number) for number in self.values]


@lru_cache(maxsize=16)
def _keyed(pepper: bytes) -> hmac.HMAC:
    """An HMAC with its key set.

    With `hmac.digest`, OpenSSL looks up the algorithm on each call, which took longer than the rest
    of a cached verification (docs/performance.md).
    """
    return hmac.new(pepper, digestmod=hashlib.sha256)


def read_peppers(text: str) -> Peppers:
    """Parses ``2:value,1:value``, newest first. ValueError messages don't contain values."""
    values: dict[int, bytes] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        number, _, value = item.partition(":")
        if not number.isdecimal() or not 0 < int(number) < 32768 or int(number) in values:
            raise ValueError("each pepper needs a number of its own from 1 to 32767, then a colon")
        if len(value) < MINIMUM_PEPPER_BYTES:
            raise ValueError(f"pepper {number} needs at least {MINIMUM_PEPPER_BYTES} characters")
        values[int(number)] = value.encode()
    if not values:
        raise ValueError("no pepper is set")
    return Peppers(newest=next(iter(values)), values=values)

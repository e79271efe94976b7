"""Encrypts MFA seeds in the database with keys derived from `SECRET_KEY`.

Fernet encrypts and authenticates. `SECRET_KEY_FALLBACKS` can still decrypt.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

#: Prefix of encrypted seeds. Seeds in plaintext never contain a colon.
_MARK: Final = "v1:"
#: HKDF info: separates these keys from other uses of `SECRET_KEY`.
_PURPOSE: Final = b"latchkey seeds of second factors v1"
_KEY_BYTES: Final = 32
#: Names of the seed in the data of authenticator apps and recovery codes.
_SEEDS: Final = ("secret", "seed")


class Unreadable(Exception):
    """No current key can decrypt the text, or it was tampered with."""


def seal(text: str) -> str:
    """Encrypts `text` with the newest key."""
    return _MARK + _newest().encrypt(text.encode()).decode()


def unseal(kept: str) -> str:
    """Decrypts. Returns `kept` unchanged if it was stored before seeds were encrypted."""
    if not kept.startswith(_MARK):
        return kept
    box = MultiFernet([_newest(), *map(_box, settings.SECRET_KEY_FALLBACKS)])
    try:
        return box.decrypt(kept.removeprefix(_MARK)).decode()
    except InvalidToken:
        raise Unreadable from None


def reseal(kept: str) -> str:
    """Encrypts with the newest key, or returns `kept` if it already is."""
    if kept.startswith(_MARK):
        try:
            _newest().decrypt(kept.removeprefix(_MARK))
        except InvalidToken:
            pass
        else:
            return kept
    return seal(unseal(kept))


def with_seeds(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The data of an authenticator with its seed changed. Passkeys have none."""
    return {**data, **{name: change(data[name]) for name in _SEEDS if name in data}}


def _newest() -> Fernet:
    return _box(settings.SECRET_KEY)


def _box(secret_key: str) -> Fernet:
    derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(urlsafe_b64encode(derived))

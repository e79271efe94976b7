"""Texts that the database holds encrypted, under keys that are made from `SECRET_KEY`.

Fernet encrypts and authenticates. `SECRET_KEY_FALLBACKS` still open what they have sealed.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

#: No seed has a colon, so that one that is kept in the clear is told from a sealed one.
_MARK: Final = "v1:"
#: Ties the derived keys to this use: nothing else that hangs on `SECRET_KEY` shares them.
_PURPOSE: Final = b"latchkey seeds of second factors v1"
_KEY_BYTES: Final = 32
#: Where the data of an authenticator app and of recovery codes have their seed.
_SEEDS: Final = ("secret", "seed")


class Unreadable(Exception):
    """None of the present keys has sealed this text, or somebody has changed it since."""


def seal(text: str) -> str:
    """`text` under the newest key."""
    return _MARK + _newest().encrypt(text.encode()).decode()


def unseal(kept: str) -> str:
    """What was sealed, or `kept` itself where it dates from before seeds were sealed."""
    if not kept.startswith(_MARK):
        return kept
    box = MultiFernet([_newest(), *map(_box, settings.SECRET_KEY_FALLBACKS)])
    try:
        return box.decrypt(kept.removeprefix(_MARK)).decode()
    except InvalidToken:
        raise Unreadable from None


def reseal(kept: str) -> str:
    """The text under the newest key; `kept` itself where it is under that key already."""
    if kept.startswith(_MARK):
        try:
            _newest().decrypt(kept.removeprefix(_MARK))
        except InvalidToken:
            pass
        else:
            return kept
    return seal(unseal(kept))


def with_seeds(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The data of a second factor with its seed changed; passkeys have none."""
    return {**data, **{name: change(data[name]) for name in _SEEDS if name in data}}


def _newest() -> Fernet:
    return _box(settings.SECRET_KEY)


def _box(secret_key: str) -> Fernet:
    derived = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return Fernet(urlsafe_b64encode(derived))

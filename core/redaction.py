"""Removes API key secrets and links with tokens from text before it is stored or shown."""

import re
from typing import Final
from urllib.parse import unquote

#: Replaces the rest of a secret.
REDACTED: Final = "[redacted]"
#: Looser than a valid secret on purpose, to catch truncated and mistyped secrets and other brands.
#: Does not match the brand: it stays anyway, and percent-encoding puts letters and digits before it
#: (``%20sig_…``). Starting with a fixed character keeps the search fast and linear.
_SECRET: Final = re.compile(r"(_(?:live|test)_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}")

#: Links in emails. They let the holder join, verify an email address, set a password or turn
#: emails off.
_LINK: Final = re.compile(
    r"(/(?:invitations|confirm-email|password/reset/key|notifications/off)/)[^/\s\"'?]+"
)

#: A text with this many characters after the environment counts as a secret.
_TELLING: Final = 20

#: How often a part of a URL may be encoded: in a page's own URL, and again in a ``next``.
_ENCODINGS: Final = 3


def redact(text: str) -> str:
    """`text` with each secret cut to its display prefix, and tokens removed from links."""
    return _LINK.sub(rf"\1{REDACTED}", _SECRET.sub(rf"\1{REDACTED}", text))


def first_line(error: BaseException) -> str:
    """The line of a database error that names the cause.

    PostgreSQL's further lines may quote the failing row, digests included.
    """
    return str(error).partition("\n")[0]


def holds_secret(text: str) -> bool:
    """Whether `text` contains a secret, or enough of it to compute the rest.

    The last characters of a secret are a checksum, which anyone can compute from the others.
    """
    return any(len(match[0].rsplit("_", 1)[1]) >= _TELLING for match in _SECRET.finditer(text))


def decoded(text: str) -> str:
    """`text` without percent-encoding, which may have been applied more than once."""
    for _ in range(_ENCODINGS):
        text = unquote(text)
    return text


def without_secrets(text: str) -> str:
    """`text` with each secret cut to its display prefix.

    It comes back decoded if only that shows a secret.
    """
    shown = text if holds_secret(text) else decoded(text)
    return _SECRET.sub(r"\1", shown) if holds_secret(shown) else text

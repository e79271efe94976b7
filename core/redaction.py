"""Takes API key secrets, and the links of mails, out of text that is about to be kept or shown."""

import re
from typing import Final

#: What stands for the rest of a secret.
REDACTED: Final = "[redacted]"
#: Looser than a valid secret on purpose: truncated, mistyped and foreign brands are caught too.
#: The brand is not looked at: it stays in any case, and may follow anything, since percent-encoding
#: glues letters and digits to it (``%20sig_…``). Beginning with a fixed character keeps the search
#: fast and linear.
_SECRET: Final = re.compile(r"(_(?:live|test)_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}")

#: Addresses in mails: whoever has one may join, confirm an address or choose a password.
_LINK: Final = re.compile(r"(/(?:invitations|confirm-email|password/reset/key)/)[^/\s\"'?]+")

#: Characters behind the environment from which on a text is taken for a secret.
_TELLING: Final = 20


def redact(text: str) -> str:
    """`text` with whatever looks like a secret cut down to its displayed prefix, links included."""
    return _LINK.sub(rf"\1{REDACTED}", _SECRET.sub(rf"\1{REDACTED}", text))


def first_line(error: BaseException) -> str:
    """The line of a database error that names the cause.

    PostgreSQL's further lines may quote the failing row, digests included.
    """
    return str(error).partition("\n")[0]


def holds_secret(text: str) -> bool:
    """Whether `text` contains a secret, or so much of one that the rest could be worked out.

    The last characters of a secret are a checksum, which anybody can add to the others.
    """
    return any(len(match[0].rsplit("_", 1)[1]) >= _TELLING for match in _SECRET.finditer(text))

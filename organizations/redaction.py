"""Takes API key secrets out of text that is about to be kept or shown."""

import re
from typing import Final

#: Looser than a valid secret on purpose: truncated, mistyped and foreign brands are caught too.
#: It may follow anything, since percent-encoding glues letters and digits to it (``%20sig_…``); the
#: bounded brand keeps the search linear.
_SECRET: Final = re.compile(
    r"((?:[a-z][a-z0-9]{0,15})?_(?:live|test)_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}"
)


def redact(text: str) -> str:
    """`text` with whatever looks like a secret cut down to its displayed prefix."""
    return _SECRET.sub(r"\1[redacted]", text)


def holds_secret(text: str) -> bool:
    """Whether `text` contains something with the length of a whole secret."""
    return any(len(match[0].rsplit("_", 1)[1]) >= 40 for match in _SECRET.finditer(text))

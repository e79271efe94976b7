"""Parts of secrets, and the search for them."""

import re
from base64 import b64encode
from collections.abc import Iterator
from threading import Lock
from typing import Final

from apikeys import tokens

#: As much of a secret as no accident repeats, and less than most ways of shortening one leave.
_LENGTH: Final = 20
_RUN: Final = re.compile(rb"[0-9A-Za-z]{%d,}" % _LENGTH)


class Needles:
    """The secrets issued so far, numbered. Only their displayed prefixes are ever told."""

    def __init__(self) -> None:
        self._parts: dict[bytes, int] = {}
        self._prefixes: list[str] = []
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._prefixes)

    def add(self, secret: str) -> int:
        """Looks for `secret` from now on, as text, in hexadecimal and in base64; its number."""
        with self._lock:
            number = len(self._prefixes)
            self._prefixes.append(tokens.displayed_prefix(secret))
            self._parts.update(dict.fromkeys(_forms(secret), number))
        return number

    def found_in(self, haystack: bytes) -> set[int]:
        """The numbers of the secrets that are in `haystack`, whole or in good part."""
        runs = (match[0] for match in _RUN.finditer(haystack))
        windows = (
            run[start : start + _LENGTH] for run in runs for start in range(len(run) - _LENGTH + 1)
        )
        return {self._parts[window] for window in windows if window in self._parts}

    def prefixes(self, numbers: set[int]) -> str:
        """The secrets of these numbers, as they may be shown."""
        return ", ".join(sorted(self._prefixes[number] + "…" for number in numbers))


def _forms(secret: str) -> Iterator[bytes]:
    """What is left of a secret behind the characters that may be shown."""
    hidden = secret.removeprefix(tokens.displayed_prefix(secret)).encode()
    for text in (hidden, hidden.hex().encode(), hidden.hex().upper().encode()):
        yield text[:_LENGTH]
        yield text[-_LENGTH:]
    for before in range(3):  # base64 writes three bytes at a time, wherever the text begins
        yield b64encode(b"x" * before + hidden)[4 : 4 + _LENGTH]

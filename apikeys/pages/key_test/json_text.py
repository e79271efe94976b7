"""Lays out JSON for reading without changing any value. `static/js/json-text.js` does the same."""

import json
import re
from typing import Final

_TOKEN: Final = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_DEEPEST: Final = 100
_INDENT: Final = "  "


def is_json(text: str) -> bool:
    """Whether the text is JSON as browsers read it."""
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def laid_out(text: str) -> str:
    """JSON with one member per line. Numbers and strings keep their spelling.

    Anything else, and JSON that is nested too deeply to be read, is returned as it is.
    """
    if not is_json(text):
        return text
    pieces: list[str] = []
    depth, before = 0, ""
    for token in _TOKEN.findall(text):
        closes = token in "}]"
        depth += (before in ("{", "[")) - closes
        if depth > _DEEPEST:
            return text
        is_empty = closes and before in ("{", "[")
        if (closes or before in ("{", "[", ",")) and not is_empty:
            pieces.append("\n" + _INDENT * depth)
        pieces.append(": " if token == ":" else token)
        before = token
    return "".join(pieces)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")

"""Messages of the Test page about a pasted key and a response. Its script shows the same."""

import json
import re
from datetime import datetime
from typing import Any, Final

from apikeys import conf, tokens
from apikeys.pages.key_test.client import SHOWN_HEADERS, Probe
from apikeys.pages.key_test.sentences import BY_STATUS, SENTENCES, sentence
from core.timestamps import stamp

#: Characters of a response that the page shows.
SHOWN: Final = 800
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def wrong_shape() -> str:
    """The message for text that isn't a key."""
    return sentence("wrong_shape", brand=conf.brand())


def cleaned_secret(text: str) -> str:
    """The pasted text without surrounding spaces and a leading “Bearer”."""
    text = text.strip()
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def shape_problem(secret: str) -> str:
    """Why `secret` can't be sent. Empty if it can. Keep in sync with `key-format.js`."""
    if not secret:
        return sentence("empty")
    if tokens.is_well_formed(secret):
        return ""
    if not re.fullmatch(_own_pattern(), secret, re.ASCII):  # another product's, or no key at all
        return wrong_shape()
    length = _own_length()
    if len(secret) == length:
        return sentence("typo")
    size = "too_short" if len(secret) < length else "too_long"
    return sentence(size, count=len(secret), length=length)


def _own_pattern() -> str:
    """Matches keys of the current brand, of any length."""
    return rf"{conf.brand()}_(?:live|test)_[0-9A-Za-z]*"


def _own_length() -> int:
    """The length of a key of the current brand, live or test."""
    return len(f"{conf.brand()}_live_") + tokens.BODY_LENGTH


def verdict(probe: Probe) -> str:
    """What the response says about the key. Keep in sync with `key-test-verdict.js`."""
    if probe.trouble:
        return probe.trouble
    code, message = _error(probe.body)
    if probe.status == 401 and code.startswith("key_") and message:
        return sentence("rejected", message=_with_stamps(message))
    if probe.status == 403 and message:
        return message
    if probe.status == 429 and probe.retry_after:
        return sentence("limited_for", seconds=probe.retry_after)
    if probe.status >= 500:
        return sentence("failed", id=probe.request_id or "unknown")
    return sentence(BY_STATUS.get(probe.status, "unexpected"))


def for_script(url: str, command: str) -> dict[str, Any]:
    """The data for the page's script, which sends the request and shows the result."""
    return {
        "sentences": {**SENTENCES, "wrong_shape": wrong_shape()},
        "by_status": BY_STATUS,
        "format": {
            **tokens.format_for_scripts(),
            "own": _own_pattern(),
            "length": _own_length(),
        },
        "hidden": tokens.HIDDEN_LENGTH,
        "headers": SHOWN_HEADERS,
        "shown": SHOWN,
        "url": url,
        "command": command,
    }


def _with_stamps(text: str) -> str:
    """Formats the API's timestamps like the pages do."""
    return _MOMENT.sub(lambda found: stamp(datetime.fromisoformat(found[0])), text)


def _error(body: str) -> tuple[str, str]:
    """Code and message of an error response. Empty if they aren't strings."""
    try:
        error = json.loads(body)["error"]
        parts = error.get("code"), error.get("message")
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", ""
    code, message = (part if isinstance(part, str) else "" for part in parts)
    return code, message

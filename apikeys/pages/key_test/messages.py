"""What the Test page says about a pasted key and a response; its script says the same."""

import json
import re
from datetime import datetime
from typing import Any, Final

from apikeys import conf, tokens
from apikeys.pages.key_test.client import Probe
from apikeys.pages.key_test.sentences import BY_STATUS, SENTENCES, sentence
from core.timestamps import stamp

#: Characters of a response that the page shows.
SHOWN: Final = 800
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def wrong_shape() -> str:
    """For text that is no key at all."""
    return sentence("wrong_shape", brand=conf.brand())


def cleaned_secret(text: str) -> str:
    """What was pasted, without spaces around it and a leading “Bearer”."""
    text = text.strip()
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def shape_problem(secret: str) -> str:
    """Why `secret` is not even sent, or nothing."""
    if not secret:
        return sentence("empty")
    if not tokens.has_shape(secret):
        return wrong_shape()
    return "" if tokens.is_well_formed(secret) else sentence("typo")


def verdict(probe: Probe) -> str:
    """What the response says about the key; `key-test-verdict.js` chooses in the same way."""
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
    """What the page's script needs to run the test and to report it as this module does."""
    return {
        "sentences": {**SENTENCES, "wrong_shape": wrong_shape()},
        "by_status": BY_STATUS,
        "format": tokens.format_for_scripts(),
        "hidden": tokens.HIDDEN_LENGTH,
        "shown": SHOWN,
        "url": url,
        "command": command,
    }


def _with_stamps(text: str) -> str:
    """Moments of the API, written as the pages write them."""
    return _MOMENT.sub(lambda found: stamp(datetime.fromisoformat(found[0])), text)


def _error(body: str) -> tuple[str, str]:
    """The code and the message of an error response; empty where they are not texts."""
    try:
        error = json.loads(body)["error"]
        parts = error.get("code"), error.get("message")
    except (ValueError, LookupError, TypeError, AttributeError):
        return "", ""
    code, message = (part if isinstance(part, str) else "" for part in parts)
    return code, message

"""What the Test page says of an answer; the script says the same of the same."""

import json
import re
from datetime import datetime
from typing import Any, Final

from apikeys import conf, tokens
from apikeys.pages.key_test.client import Probe
from core.timestamps import stamp

EMPTY: Final = "Paste an API key."
TYPO: Final = "This key has a typo: its check characters don't match."
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
UNKNOWN: Final = "Rejected: the key is unknown, expired, disabled or deleted."


def wrong_shape() -> str:
    """For text that is no key at all."""
    return f"That doesn't look like one of our keys. Keys start with {conf.brand()}_."


def cleaned_secret(text: str) -> str:
    """What was pasted, without spaces around it and a leading “Bearer”."""
    text = text.strip()
    return text[7:].strip() if text[:7].lower() == "bearer " else text


def shape_problem(secret: str) -> str:
    """Why `secret` is not even sent, or nothing."""
    if not secret:
        return EMPTY
    if not tokens.has_shape(secret):
        return wrong_shape()
    return "" if tokens.is_well_formed(secret) else TYPO


def verdict(probe: Probe) -> str:
    """The answer in words."""
    if probe.trouble:
        return probe.trouble
    if probe.status == 429:
        when = f"after {probe.retry_after} s" if probe.retry_after else "in a moment"
        return f"Rate limit reached. Retry {when}."
    error = _error(probe.body)
    if probe.status == 401:
        told = error.get("code", "").startswith("key_")
        return f"Rejected: {_with_stamps(error['message'])}" if told else UNKNOWN
    if probe.status == 403:
        return str(error.get("message") or "The key works but lacks permission for this request.")
    if probe.status == 404:
        return "The key works, but not for this account."
    if probe.status >= 500:
        return f"The API failed (request id {probe.request_id or 'unknown'})."
    return "The key works." if probe.status == 200 else "The API answered something unexpected."


def _with_stamps(text: str) -> str:
    """Moments of the API, written as the pages write them."""
    return _MOMENT.sub(lambda found: stamp(datetime.fromisoformat(found[0])), text)


def _error(body: str) -> dict[str, Any]:
    try:
        error = json.loads(body)["error"]
        return error if isinstance(error, dict) else {}
    except (ValueError, KeyError, TypeError):
        return {}

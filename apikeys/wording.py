"""What the Test page says of an answer; the script says the same of the same."""

import json
from typing import Any, Final

from apikeys import conf, tokens
from apikeys.probe import Probe

EMPTY: Final = "Paste an API key."
TYPO: Final = "This key has a typo: its check characters don't match."
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
        return f"Rate limit reached. Retry after {probe.retry_after or 'a few'} s."
    error = _error(probe.body)
    if probe.status == 401:
        told = error.get("code", "").startswith("key_")
        return f"Rejected: {error['message']}" if told else UNKNOWN
    if probe.status == 403:
        return str(error.get("message") or "The key works but lacks permission for this request.")
    if probe.status == 404:
        return "The key works, but not for this account."
    if probe.status >= 500:
        return f"The API failed (request id {probe.request_id or 'unknown'})."
    return "The key works." if probe.status == 200 else "The API answered something unexpected."


def _error(body: str) -> dict[str, Any]:
    try:
        error = json.loads(body)["error"]
        return error if isinstance(error, dict) else {}
    except (ValueError, KeyError, TypeError):
        return {}

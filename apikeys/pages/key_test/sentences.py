"""The sentences of the Test page. Its script reads them from the page."""

from typing import Final

SENTENCES: Final = {
    "empty": "Paste an API key.",
    "wrong_shape": "That doesn't look like one of our keys. Keys start with {brand}_.",
    "too_short": "This key is incomplete: it has {count} of {length} characters. Copy it again.",
    "too_long": "This key is too long: it has {count} characters, not {length}. Copy it again.",
    "typo": "This key has a typo: its check characters don't match.",
    "works": "The key works.",
    "unknown": "Rejected: the key is unknown, expired, disabled or deleted.",
    "rejected": "Rejected: {message}",
    "forbidden": "The key works but lacks permission for this request.",
    "other_account": "The key works, but not for this account.",
    "limited": "Rate limit reached. Retry in a moment.",
    "limited_for": "Rate limit reached. Retry after {seconds} s.",
    "failed": "The API failed (request ID {id}).",
    "unexpected": "The API sent an unexpected response.",
    "late": "No response within {seconds} s.",
    "unreached": "The request didn't reach the API.",
    "canceled": "Canceled.",
    "whole": "Response · {total} characters",
    "extent": "Showing {shown} of {total} characters",
    "not_json": "{extent} · not JSON",
}
#: Status → sentence, if neither body nor headers say more.
BY_STATUS: Final = {
    200: "works",
    401: "unknown",
    403: "forbidden",
    404: "other_account",
    429: "limited",
}


def sentence(name: str, **values: object) -> str:
    """The sentence with its {placeholders} filled in."""
    return SENTENCES[name].format(**values)

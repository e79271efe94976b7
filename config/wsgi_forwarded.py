"""The Forwarded header (RFC 7239): the client's address under a name that has only one spelling.

A WSGI environment writes hyphens of header names as underscores. The server has merged
`X_Forwarded_For` into `X-Forwarded-For` before Python sees either, and the last one wins: behind a
proxy that passes names with underscores on, a client could choose its own address. `Forwarded`
has no hyphen, so nothing else is merged into it.
"""

from collections.abc import Iterable
from typing import Any, Final

from config.wsgi_body import Application

#: Elements that are looked at, nearest last.
_MOST: Final = 20


def reading_forwarded(application: Application) -> Application:
    """Puts what `Forwarded` says in place of every X-Forwarded-For and X-Forwarded-Proto."""

    def wrapper(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ.pop("HTTP_X_FORWARDED_FOR", None)
        environ.pop("HTTP_X_FORWARDED_PROTO", None)
        header = environ.get("HTTP_FORWARDED")
        if header:
            elements = [_pairs(text) for text in header.rsplit(",", _MOST)[-_MOST:] if text.strip()]
            for field in ("for", "proto"):
                # An element without the field keeps its place, so that both lists match.
                values = ",".join(pairs.get(field) or "unknown" for pairs in elements)
                environ[f"HTTP_X_FORWARDED_{field.upper()}"] = values
        return application(environ, start_response)

    return wrapper


def _pairs(element: str) -> dict[str, str]:
    """The fields of an element by their names in lower case, without quotes.

    A field that is given twice says nothing (RFC 7239, section 4).
    """
    pairs: dict[str, str] = {}
    for text in element.split(";"):
        name, _, value = text.partition("=")
        name = name.strip().lower()
        pairs[name] = "" if name in pairs else value.strip().strip('"')
    return pairs

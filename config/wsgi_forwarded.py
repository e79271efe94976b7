"""Reads the Forwarded header (RFC 7239) instead of X-Forwarded-For and X-Forwarded-Proto.

A WSGI environ writes hyphens of header names as underscores. The server merges `X_Forwarded_For`
into `X-Forwarded-For` before Python sees either, and the last one wins. Behind a proxy that passes
on names with underscores, a client could choose its own IP address. `Forwarded` has no hyphen, so
nothing else is merged into it.
"""

from collections.abc import Iterable
from typing import Any, Final

from config.wsgi_body import Application

#: Elements that are read, nearest last.
_MOST: Final = 20


def reading_forwarded(application: Application) -> Application:
    """Replaces X-Forwarded-For and X-Forwarded-Proto by the values of `Forwarded`."""

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
    """The fields of an element by lower-case name, without quotes.

    A duplicate field is ignored (RFC 7239, section 4).
    """
    pairs: dict[str, str] = {}
    for text in element.split(";"):
        name, _, value = text.partition("=")
        name = name.strip().lower()
        pairs[name] = "" if name in pairs else value.strip().strip('"')
    return pairs

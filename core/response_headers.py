"""Sets constant response headers without Django's per-header validation.

Django's validation costs as much per header as checking a key. Never pass request data.
"""

from collections.abc import Mapping

from django.http import HttpResponse

Prepared = Mapping[str, tuple[str, str]]


def prepared(headers: Mapping[str, str]) -> Prepared:
    """Headers in Django's internal form. Raises ValueError for unsafe characters."""
    for text in (*headers, *headers.values()):
        if not (text.isascii() and text.isprintable()):
            raise ValueError(f"{text!r} cannot be in a header.")
    return {name.lower(): (name, value) for name, value in headers.items()}


def set_headers(response: HttpResponse, headers: Prepared) -> None:
    response.headers._store.update(headers)  # noqa: SLF001


def set_header(response: HttpResponse, name: str, value: str) -> None:
    """Sets a header with a computed value. It must consist of safe ASCII characters."""
    response.headers._store[name.lower()] = (name, value)  # noqa: SLF001

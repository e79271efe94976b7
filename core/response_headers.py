"""Headers whose names and values are our own, past the care that Django takes with each of them.

Django looks for characters and line ends that no header may have, which costs as much for each as
checking a key. Nothing that came from outside may be set in this way.
"""

from collections.abc import Mapping

from django.http import HttpResponse

Prepared = Mapping[str, tuple[str, str]]


def prepared(headers: Mapping[str, str]) -> Prepared:
    """The form in which Django keeps headers; ValueError for what none may contain."""
    for text in (*headers, *headers.values()):
        if not (text.isascii() and text.isprintable()):
            raise ValueError(f"{text!r} cannot be in a header.")
    return {name.lower(): (name, value) for name, value in headers.items()}


def put(response: HttpResponse, headers: Prepared) -> None:
    """Sets them all."""
    response.headers._store.update(headers)  # noqa: SLF001


def put_one(response: HttpResponse, name: str, value: str) -> None:
    """Sets one that is made anew for each answer, of letters, digits and signs of our own."""
    response.headers._store[name.lower()] = (name, value)  # noqa: SLF001

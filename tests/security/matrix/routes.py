"""Every operation in the URL configuration: a method of a route."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

from config.health import CHECKS

Operation = tuple[str, str]
#: A function does not tell its methods; the admin's and the API's own take any.
_OF_FUNCTIONS: Final = ("GET", "POST")
#: Answered by Django for every class, and changing nothing.
_ALIKE: Final = {"HEAD", "OPTIONS"}


def operations(urlconf: str | None = None) -> set[Operation]:
    """All of them as (route, method), those of the health checks included."""
    found: dict[str, set[str]] = {check.removeprefix("/"): {"GET"} for check in CHECKS}
    for route, pattern in _walk(get_resolver(urlconf).url_patterns):
        found.setdefault(route, _methods(pattern.callback))  # the first answers, as in Django
    return {(route, method) for route, methods in found.items() for method in methods}


def _walk(patterns: Iterable[Any], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route, pattern


def _methods(view: Any) -> set[str]:
    if actions := getattr(view, "actions", None):
        return {name.upper() for name in actions} - _ALIKE
    view_class = getattr(view, "view_class", None)
    if view_class is None:
        return set(_OF_FUNCTIONS)
    return {n.upper() for n in view_class.http_method_names if hasattr(view_class, n)} - _ALIKE

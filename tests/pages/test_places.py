"""Every page has a row in the table of places, which pictures and accessibility checks go by."""

from django.urls import resolve

from tests.browser.places import ELSEWHERE, PLACES, Ids
from tests.security.matrix.routes import operations

_ID = "00000000-0000-7000-8000-000000000000"
#: Places whose URL leads nowhere, on purpose.
_NOWHERE = {"not-found", "not-found-signed-out"}


def _route(path: str) -> str:
    names = ("key", "template", "account", "invitation", "member", "secret")
    ids = Ids({**dict.fromkeys(names, _ID), "reset": "1-key"})
    return _plain(resolve(ids.fill(path).partition("?")[0]).route)


def _plain(route: str) -> str:
    # Django drops the “^” of a part within a route.
    return route.replace("^", "")


def test_every_page_has_a_row_or_a_reason_not_to() -> None:
    shown = {_route(place.path) for place in PLACES if place.name not in _NOWHERE}
    pages = {_plain(route) for route, method in operations() if method == "GET"}

    missing = {
        route for route in pages - shown if not any(route.startswith(start) for start in ELSEWHERE)
    }

    assert missing == {""}, "the start page, which leads elsewhere; add rows to PLACES"


def test_no_reason_is_outdated() -> None:
    pages = {_plain(route) for route, method in operations() if method == "GET"}

    for start in ELSEWHERE:
        assert any(route.startswith(start) for route in pages), start

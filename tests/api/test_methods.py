"""Unsupported methods on every route of the API."""

import re

import pytest

from apikeys.api import urls
from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.support.api import never, stored
from tests.support.client import ApiClient

ALL = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PURGE"]


def methods(actions: dict[str, str]) -> set[str]:
    """The methods of a viewset's route: whoever answers GET answers HEAD."""
    own = {name.upper() for name in actions}
    return own | {"HEAD"} if "GET" in own else own


ROUTES = {
    str(pattern.pattern): methods(vars(pattern.callback)["actions"])
    for pattern in urls.urlpatterns
    if hasattr(pattern.callback, "actions")
}
NOT_ALLOWED = [
    (method, route) for route, has in ROUTES.items() for method in ALL if method not in has
]
READABLE = [route for route, has in ROUTES.items() if "GET" in has]


def address(route: str, acme: Organization, manager: Issued) -> str:
    """The route filled in with ids that there are."""
    template = TemplateFactory.create(organization=acme)
    one = template.public_id if "templates" in route else manager.key.public_id
    for name in ("account_id", "workspace_id"):
        route = route.replace(f"<str:{name}>", acme.public_id)
    return "/" + route.replace("<str:id>", one)


def test_there_are_routes_to_try() -> None:
    assert len(ROUTES) == 15
    assert len(NOT_ALLOWED) > 30


@pytest.mark.parametrize(("method", "route"), NOT_ALLOWED)
def test_a_method_that_the_address_does_not_have_is_405(
    call: ApiClient, manager: Issued, acme: Organization, method: str, route: str
) -> None:
    path = address(route, acme, manager)
    call("GET", "/v1/api-keys/current", key=manager)
    before = stored()

    answer = call(method, path, key=manager)

    assert answer.status == 405
    assert set(re.split(r", ", answer.headers["Allow"])) == ROUTES[route]
    assert answer.headers["Content-Type"] == "application/json"
    assert stored() == before
    if method != "HEAD":
        assert answer.refusal.code in ("method_not_allowed", None)
        assert method in answer.refusal.message


@pytest.mark.parametrize("route", READABLE)
def test_head_answers_as_get_does(
    call: ApiClient, manager: Issued, acme: Organization, route: str
) -> None:
    path = address(route, acme, manager)

    get, head = call("GET", path, key=manager), call("HEAD", path, key=manager)

    assert (head.status, head.raw) == (get.status, b"") == (200, b"")
    assert head.headers["Content-Type"] == get.headers["Content-Type"]


@pytest.mark.parametrize("route", READABLE)
def test_no_answer_is_named_so_that_another_may_be_asked_about_it(
    call: ApiClient, manager: Issued, acme: Organization, route: str
) -> None:
    """No ETag and no date: what one organization was answered is no question of another's."""
    headers = {"If-None-Match": "*", "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}

    answer = call("GET", address(route, acme, manager), key=manager, headers=headers)

    assert answer.status == 200
    assert not {"ETag", "Last-Modified"} & set(answer.headers)


@pytest.mark.parametrize("route", READABLE)
def test_reading_changes_nothing(
    call: ApiClient, manager: Issued, acme: Organization, route: str
) -> None:
    path = address(route, acme, manager)
    call("GET", path, key=manager)
    before = stored()

    assert call("GET", path, key=manager).status == 200
    assert stored() == before


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_no_header_turns_one_method_into_another(
    call: ApiClient, manager: Issued, name: str
) -> None:
    path = f"/v1/api-keys/{manager.key.public_id}"

    assert call("GET", path, key=manager, headers={name: "DELETE"}).body["status"] == "active"
    assert call("POST", path, key=manager, headers={name: "DELETE"}).status == 405


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "", "x", "\xff"])
@pytest.mark.parametrize("known", [True, False])
def test_the_answer_is_json_whatever_is_accepted(
    call: ApiClient, manager: Issued, accept: str, known: bool
) -> None:
    path = "/v1/api-keys/current" if known else f"/v1/{never('key')}"

    answer = call("GET", path, key=manager, headers={"Accept": accept})

    assert answer.status == (200 if known else 404)
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "a b", "", "[::", "%"])
@pytest.mark.parametrize("path", ["/v1/api-keys/current", "/v1/nowhere"])
def test_an_unknown_host_is_400_in_json(
    call: ApiClient, manager: Issued, host: str, path: str
) -> None:
    answer = call("GET", path, key=manager, headers={"Host": host})

    assert (answer.status, answer.error["type"]) == (400, "validation_error")
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]

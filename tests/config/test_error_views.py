"""Error responses: a page with the request ID, and JSON for API paths."""

from typing import Any

import pytest
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from config import urls
from organizations.models import Organization, User
from tests.pages.support import html, sign_in
from tests.support.domain import SECRET

handler400, handler403 = urls.handler400, urls.handler403
handler404, handler500 = urls.handler404, urls.handler500
handler429 = urls.handler429
HEADINGS = {
    400: "Bad request",
    403: "Not allowed",
    404: "Page not found",
    500: "Something went wrong",
}


def fail(request: HttpRequest, status: int) -> HttpResponse:
    raise {400: BadRequest, 403: PermissionDenied, 500: ZeroDivisionError}[status]("detail-inside")


urlpatterns = [
    path("fail/<int:status>", fail),
    path("v1/fail/<int:status>", fail),
    path("", include(urls)),
]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_page_says_what_happened_and_under_which_id(status: int, visitor: Client) -> None:
    response = visitor.get("/nothing-here" if status == 404 else f"/fail/{status}")
    page = html(response)

    assert response.status_code == status
    assert response.headers["Content-Type"].startswith("text/html")
    assert f"<h1>{HEADINGS[status]}</h1>" in page
    assert response.headers["X-Request-Id"] in page
    assert "detail-inside" not in page


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "validation_error"),
        (403, "forbidden"),
        (404, "not_found"),
        (500, "internal_error"),
    ],
)
def test_the_api_answers_json(status: int, code: str, visitor: Client) -> None:
    response = visitor.get("/v1/nothing-here" if status == 404 else f"/v1/fail/{status}")
    body = response.json()

    assert response.status_code == status
    assert body["error"]["code"] == code
    assert body["request_id"] == response.headers["X-Request-Id"]
    assert "detail-inside" not in html(response)


def test_a_member_keeps_the_frame_where_nothing_is_found(
    acme: Organization, admin: User, member: User
) -> None:
    pages = [html(sign_in(user).get("/nothing-here")) for user in (admin, member)]

    for page, home in zip(pages, ("developer/", ""), strict=True):
        assert ">Page not found</h1>" in page
        assert '<nav class="sections" aria-label="Settings">' in page
        assert f'<a class="button primary" href="/o/acme/settings/{home}">' in page
        assert "This page doesn't exist, or you don't have access to it." in page
    assert "Go to API keys" in pages[0]


def test_somebody_without_an_organization_has_no_frame(staff: User) -> None:
    page = html(sign_in(staff).get("/nothing-here"))

    assert "<h1>Page not found</h1>" in page
    assert 'aria-label="Settings"' not in page


def test_a_secret_in_the_url_is_not_sent_back(acme: Organization, admin: User) -> None:
    answer = sign_in(admin).get(f"/nothing-here/{SECRET}?q={SECRET}", follow=True)

    assert answer.status_code == 404
    assert SECRET not in html(answer)


def test_the_frame_is_left_out_while_the_database_is_away(acme: Organization, admin: User) -> None:
    browser = sign_in(admin)
    browser.get("/o/acme/settings/")

    def fail(execute: Any, sql: str, *args: Any) -> Any:
        if "organizations_membership" in sql:
            raise OperationalError("the server closed the connection")
        return execute(sql, *args)

    with connection.execute_wrapper(fail):
        answer = browser.get("/nothing-here")

    assert answer.status_code == 404
    assert "<h1>Page not found</h1>" in html(answer)


def test_an_unknown_host_is_refused_in_either_shape(visitor: Client) -> None:
    page = visitor.get("/nothing-here", headers={"Host": "other.example"})
    api = visitor.get("/v1/api-keys", headers={"Host": "other.example"})

    assert (page.status_code, api.status_code) == (400, 400)
    assert HEADINGS[400] in html(page)
    assert api.json()["error"]["type"] == "validation_error"


@pytest.mark.django_db
def test_a_form_without_its_token_gets_the_same_page() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})

    assert answer.status_code == 403
    assert "This form was not accepted" in html(answer)
    assert answer.headers["X-Request-Id"] in html(answer)


@pytest.mark.django_db
def test_a_page_says_503_while_the_database_is_away(visitor: Client) -> None:
    def fail(*args: Any) -> None:
        raise OperationalError("the server closed the connection")

    with connection.execute_wrapper(fail):
        answer = visitor.post("/accounts/login/", {"login": "a@example.com", "password": "x"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Not available right now" in html(answer)
    assert "server closed" not in html(answer)


def test_too_many_attempts_are_a_page_with_the_request_id(
    db: None, client: Client, settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/m/ip"}
    answers = [
        client.post("/accounts/password/reset/", {"email": "a@example.com"}) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [302, 429]
    page = html(answers[1])
    assert "<h1>Too many attempts</h1>" in page
    assert answers[1].headers["X-Request-Id"] in page

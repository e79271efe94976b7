"""Callers that ignore 429 get short responses for a second or two. Others are not affected."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from pytest_django import Settings

from apikeys.services import Issued
from apikeys.usage.key_request import KeyUse
from config import wsgi_shield
from config.wsgi_shield import MOST, shielded

RETRY = {"Retry-After": "1"}
Ask = Callable[..., tuple[int, bytes]]
GET = {"REQUEST_METHOD": "GET"}
KEY = GET | {"HTTP_AUTHORIZATION": "Bearer one", "PATH_INFO": "/v1/api-keys"}
PERSON = GET | {"HTTP_COOKIE": "a=b; sessionid=one; c=d", "PATH_INFO": "/o/acme/activity/"}


class Clock:
    """The monotonic clock of the shield."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(wsgi_shield, "time", clock)
    monkeypatch.setattr(wsgi_shield, "random", SimpleNamespace(random=lambda: 0.0))
    return clock


@pytest.fixture
def ask(clock: Clock) -> Ask:
    """Asks an application that refuses everybody; says the status, and the body as it was sent."""
    application = shielded(lambda environ, start: refuse(start))

    def refuse(start: Any) -> Any:
        start("429 Too Many Requests", [])
        return HttpResponse("in full", status=429, headers=RETRY)

    def send(environ: dict[str, str]) -> tuple[int, bytes]:
        seen: list[str] = []
        parts = application(environ, lambda status, headers: seen.append(status))
        return int(seen[0][:3]), b"".join(parts)

    return send


def in_full(ask: Ask, environ: dict[str, str], times: int = MOST + 5) -> int:
    """How many of so many requests reached the application."""
    answers = [ask(environ) for _ in range(times)]
    assert {status for status, _ in answers} == {429}
    return sum(body == b"in full" for _, body in answers)


@pytest.mark.parametrize("environ", [KEY, PERSON], ids=["key", "session"])
def test_after_a_few_refusals_in_a_second_answers_are_short(
    ask: Ask, clock: Clock, environ: dict[str, str]
) -> None:
    assert in_full(ask, environ) == MOST
    clock.now += 1
    assert in_full(ask, environ) == 0, "the next second, too"
    clock.now += 1
    assert in_full(ask, environ) == MOST, "then the caller gets in again"
    clock.now += 10
    assert in_full(ask, environ) == MOST


def test_whoever_waits_after_each_refusal_is_never_answered_shortly(ask: Ask, clock: Clock) -> None:
    for _ in range(20):
        assert in_full(ask, KEY, times=MOST - 1) == MOST - 1
        clock.now += 1


@pytest.mark.parametrize(
    "other",
    [
        KEY | {"HTTP_AUTHORIZATION": "Bearer two"},
        PERSON,
        PERSON | {"HTTP_COOKIE": "sessionid=two"},
    ],
    ids=["key", "person", "another person"],
)
def test_other_callers_are_not_concerned(ask: Ask, other: dict[str, str]) -> None:
    in_full(ask, KEY)
    if "HTTP_COOKIE" in other and other["HTTP_COOKIE"] != PERSON["HTTP_COOKIE"]:
        in_full(ask, PERSON)

    assert in_full(ask, other) == MOST


def test_the_scheme_and_other_cookies_make_no_other_caller(ask: Ask) -> None:
    in_full(ask, KEY)
    in_full(ask, PERSON)

    assert in_full(ask, KEY | {"HTTP_AUTHORIZATION": "bearer  one"}) == 0
    assert in_full(ask, PERSON | {"HTTP_COOKIE": "sessionid=one; other=1"}) == 0


@pytest.mark.parametrize("path", ["/v1/api-keys", "/accounts/login/", "/livez"])
def test_without_a_credential_nobody_is_a_caller(ask: Ask, path: str) -> None:
    assert in_full(ask, GET | {"PATH_INFO": path}, times=50) == 50


def test_a_credential_is_of_the_key_or_the_session_that_the_address_reads(ask: Ask) -> None:
    """The API reads no cookie, and pages no key: neither may stand for another caller there."""
    in_full(ask, KEY)
    in_full(ask, PERSON)

    assert in_full(ask, {**KEY, "PATH_INFO": "/o/acme/"}, times=50) == 50
    assert in_full(ask, {**PERSON, "PATH_INFO": "/v1/api-keys"}, times=50) == 50


@pytest.mark.parametrize(
    "cookies",
    [
        "xsessionid=%s; sessionid=one",
        "a=sessionid=%s; sessionid=one",
        "sessionid=%s; sessionid=one",
        "sessionid =one; other=%s",
    ],
)
def test_no_other_cookie_hides_a_session(ask: Ask, cookies: str) -> None:
    in_full(ask, PERSON)

    for n in range(20):
        assert in_full(ask, PERSON | {"HTTP_COOKIE": cookies % n}, times=1) == 0


@pytest.mark.parametrize("name", ["asessionid", "a__Host-sessionid", "__Host-asessionid"])
@pytest.mark.parametrize("expected", ["sessionid", "__Host-sessionid"])
def test_a_cookie_of_another_name_is_no_session(
    ask: Ask, settings: Settings, name: str, expected: str
) -> None:
    settings.SESSION_COOKIE_NAME = expected

    assert in_full(ask, PERSON | {"HTTP_COOKIE": f"{name}=planted"}, times=50) == 50


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/static/css/app.css"])
def test_health_and_files_are_served_to_a_session_all_the_same(ask: Ask, path: str) -> None:
    in_full(ask, PERSON)

    assert in_full(ask, PERSON | {"PATH_INFO": path}, times=50) == 50


def test_refused_changes_do_not_hold_up_the_checks_of_a_key(ask: Ask) -> None:
    in_full(ask, KEY | {"REQUEST_METHOD": "DELETE"})

    assert in_full(ask, KEY) == MOST
    assert in_full(ask, KEY | {"REQUEST_METHOD": "PATCH"}) == 0


def application_that(*, answers: int, headers: dict[str, str], use: object = None) -> Any:
    """An application of one answer, which counts its requests in `calls`."""

    def application(environ: dict[str, Any], start: Any) -> Any:
        application.calls += 1  # type: ignore[attr-defined]
        environ.get("meanwhile", lambda: None)()
        start(f"{answers} …", [])
        response = HttpResponse("in full", status=answers, headers=headers)
        response.key_use = use  # type: ignore[attr-defined]
        return response

    application.calls = 0  # type: ignore[attr-defined]
    return application


def test_requests_that_were_sent_together_count_once(clock: Clock) -> None:
    """Sixteen changes at once, of a client that then waits as it is told."""
    application = application_that(answers=429, headers=RETRY)
    shield = shielded(application)

    def nested(depth: int) -> None:
        def meanwhile() -> None:
            if depth:
                nested(depth - 1)
            clock.now += 0.001  # all began before the first was answered

        shield({**KEY, "meanwhile": meanwhile}, lambda *_: None)

    for _ in range(5):
        nested(15)
        clock.now += 1

    assert application.calls == 5 * 16


@pytest.mark.parametrize("told", ["1", "45", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_short_answer_says_no_less_than_the_refusal_before(clock: Clock, told: str) -> None:
    application = application_that(answers=429, headers={"Retry-After": told})
    shield, seen = shielded(application), dict[str, str]()
    for _ in range(MOST + 1):
        shield(PERSON, lambda status, headers: seen.update(headers))

    assert application.calls == MOST
    assert seen["Retry-After"] == ("45" if told == "45" else "2")
    assert "Connection" not in seen


@pytest.mark.parametrize("body", [{"CONTENT_LENGTH": "5"}, {"HTTP_TRANSFER_ENCODING": "chunked"}])
def test_only_an_unread_body_ends_the_connection(clock: Clock, body: dict[str, str]) -> None:
    shield, seen = shielded(application_that(answers=429, headers=RETRY)), dict[str, str]()
    for _ in range(MOST + 1):
        shield(PERSON | body, lambda status, headers: seen.update(headers))

    assert seen["Connection"] == "close"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("known", "usable"), [(True, False), (True, True), (False, False)])
def test_refusals_of_a_key_that_has_ended_count_less(
    clock: Clock, reader: Issued, status: int, known: bool, usable: bool
) -> None:
    """A string that is no key is another limit's, and a key that works may lack a permission."""
    found = SimpleNamespace(key_id=reader.key.pk, organization_id=reader.key.organization_id)
    use = KeyUse(found, None, b"", usable=usable)  # type: ignore[arg-type]
    application = application_that(answers=status, headers={}, use=use if known else None)
    shield = shielded(application)
    for _ in range(60):
        shield(KEY, lambda *_: None)

    assert application.calls == (21 if known and not usable else 60)


def test_a_page_is_told_in_plain_text(ask: Ask) -> None:
    in_full(ask, PERSON)

    assert ask(PERSON)[1] == (
        b"Too many requests were rejected, and more followed. Try again in 2 seconds."
    )

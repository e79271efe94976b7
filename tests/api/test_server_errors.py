"""Bugs and an unavailable database, as API clients see them."""

import logging
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from pytest_django import Settings

from apikeys.api.formats.account import ACCOUNT
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.viewsets import ApiKeyViewSet
from apikeys.models import ApiKey, KeyUsage
from apikeys.ratelimits import limiter
from apikeys.services import Issued
from tests.support.api import CURRENT, KEYS, MakeKey, one
from tests.support.client import Answer, ApiClient


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(f"a defect, with {request.headers.get('Authorization')}")


class Crashing(ApiKeyViewSet):
    def list(self, request: Any, **_: str) -> Any:
        raise RuntimeError("a defect")


urlpatterns = [
    path("v1/crash", crash),
    path("v1/canonical", Crashing.as_view({"get": "list"}, wire=CANONICAL)),
    path("v1/account", Crashing.as_view({"get": "list"}, wire=ACCOUNT)),
]
handler500 = "config.error_views.server_error"


def assert_is_500_without_detail(answer: Answer) -> None:
    assert (answer.status, answer.error["type"]) == (500, "internal_error")
    assert answer.error["code"] == "internal_error"
    assert answer.error["details"] == []
    assert "request id" in answer.error["message"]
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert b"defect" not in answer.raw
    assert b"Traceback" not in answer.raw


@pytest.mark.parametrize("name", ["crash", "canonical", "account"])
def test_a_defect_is_a_json_500_without_detail(
    call: ApiClient, reader: Issued, settings: Settings, name: str
) -> None:
    settings.ROOT_URLCONF = __name__

    assert_is_500_without_detail(call("GET", f"/v1/{name}", key=reader))


def test_a_defect_is_counted_for_the_key_and_says_its_rate_limit(
    call: ApiClient, reader: Issued, settings: Settings
) -> None:
    settings.ROOT_URLCONF = __name__

    answer = call("GET", "/v1/canonical", key=reader)

    assert answer.status == 500
    assert answer.headers["RateLimit"].startswith('"standard";r=599;')
    assert KeyUsage.objects.get(key=reader.key).result == "server_error"


def test_a_broken_setting_is_a_json_500_without_detail(
    call: ApiClient, reader: Issued, settings: Settings
) -> None:
    settings.RATE_LIMIT_TIERS = {}
    limiter.forget_limiter()

    assert_is_500_without_detail(call("GET", CURRENT, key=reader))


def test_the_log_has_the_traceback_under_the_request_id_and_no_secret(
    call: ApiClient, reader: Issued, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROOT_URLCONF = __name__
    caplog.handler.setFormatter(logging.getLogger().handlers[0].formatter)

    answer = call("GET", "/v1/crash", key=reader)

    assert answer.body["request_id"] in caplog.text
    assert "RuntimeError: a defect" in caplog.text
    assert reader.secret not in caplog.text


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize(
    ("method", "address"), [("GET", CURRENT), ("POST", KEYS), ("GET", "/v1/accounts/x/templates")]
)
def test_a_database_that_is_away_is_503_with_retry_after(
    call: ApiClient, reader: Issued, error: type[DatabaseError], method: str, address: str
) -> None:
    def refuse(*_: object) -> None:
        raise error("could not connect to server 10.0.0.7")

    with connection.execute_wrapper(refuse):
        answer = call(method, address, {}, key=reader)

    assert (answer.status, answer.error["type"]) == (503, "unavailable")
    assert answer.error["code"] == "unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert b"10.0.0.7" not in answer.raw
    assert call("GET", CURRENT, key=reader).status == 200


def test_a_database_that_goes_away_while_writing_stores_nothing(
    call: ApiClient, manager: Issued, make_key: MakeKey
) -> None:
    call("GET", CURRENT, key=manager)
    before = ApiKey.objects.count()

    def refuse_events(execute: Any, sql: str, *rest: Any) -> Any:
        if "INSERT" in sql and "auditevent" in sql:
            raise OperationalError("server closed the connection")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse_events):
        answer = call("POST", KEYS, {"name": "Lost", "scopes": ["search:read"]}, key=manager)

    assert answer.status == 503
    assert ApiKey.objects.count() == before


def test_a_last_use_that_cannot_be_written_does_not_fail_the_call(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    def refuse_updates(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE"):
            raise OperationalError("database is locked")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse_updates):
        assert call("GET", CURRENT, key=reader).status == 200
    assert call("GET", one(reader), key=manager).body["last_used_at"] is None


def test_a_request_without_a_database_is_answered_while_it_is_away(call: ApiClient) -> None:
    # Without the `db` fixture every query would fail.
    assert call("GET", CURRENT).status == 401
    assert call("GET", CURRENT, key="sig_live_mistyped").status == 401

"""All errors have the shape, request ID and headers of their format."""

import gzip
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.conf import settings as configured
from django.db import OperationalError, connection
from pytest_django import Settings

from apikeys.models import ApiKey, KeyTemplate
from apikeys.ratelimits import limiter
from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.support.api import REQUEST_ID
from tests.support.client import Answer, ApiClient
from tests.support.dialects import ACCOUNT, DIALECTS, Dialect

FACES: Final = (*DIALECTS, ACCOUNT)
pytestmark = pytest.mark.parametrize("face", FACES, ids=str)
SetLimit = Callable[[int], None]


class Asker:
    """Calls a format's collection with a key that may do everything."""

    def __init__(self, call: ApiClient, face: Dialect, acme: Organization, key: Issued) -> None:
        self.call, self.address, self.key = call, face.keys(acme), key
        self.body = face.body(name="Manager", scopes=["search:read"])

    def __call__(self, method: str = "GET", rest: str = "", **options: Any) -> Answer:
        options = {"key": self.key, "body": None, **options}
        return self.call(method, self.address + rest, options.pop("body"), **options)


@pytest.fixture
def ask(call: ApiClient, face: Dialect, acme: Organization, manager: Issued) -> Asker:
    TemplateFactory.create(organization=acme, name="Manager")
    return Asker(call, face, acme, manager)


def assert_shape(answer: Answer, face: Dialect, status: int, code: str) -> None:
    """`face.refusal` fails where the body has another shape than the format's."""
    refusal = face.refusal(answer.body)
    assert answer.status == status, answer.raw
    assert refusal.code in (code, None)
    assert refusal.message.endswith(".")
    assert refusal.request_id in (answer.headers["X-Request-Id"], None)
    assert REQUEST_ID.fullmatch(answer.headers["X-Request-Id"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"


def test_400(ask: Asker, face: Dialect) -> None:
    body = {**ask.body, "nope": 1}

    assert_shape(ask("POST", body=b"{"), face, 400, "invalid_json")
    assert_shape(ask("POST", body=body), face, 400, "unknown_field")
    assert_shape(ask(rest="?nope=1"), face, 400, "unknown_field")


def test_400_for_an_unknown_host(ask: Asker, face: Dialect) -> None:
    assert_shape(ask(headers={"Host": "evil.example"}), face, 400, "validation_error")


def test_401(ask: Asker, face: Dialect) -> None:
    for key in (None, "sig_live_x"):
        answer = ask(key=key)
        assert_shape(answer, face, 401, "invalid_api_key")
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="api"')


def test_403(ask: Asker, face: Dialect, reader: Issued) -> None:
    answer = ask("POST", body=ask.body, key=reader)

    assert_shape(answer, face, 403, "insufficient_scope")
    assert 'scope="api-keys:manage"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("rest", ["/", "//", "/a/b/c/d", ".json", "%00", "/../../x"])
def test_404_for_an_address_that_there_is_not(ask: Asker, face: Dialect, rest: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        assert_shape(ask(method, rest), face, 404, "not_found")


def test_404_for_a_thing_that_there_is_not(ask: Asker, face: Dialect) -> None:
    never = "0189d1f2-7f6b-7cc0-8000-0000000000ff"

    assert_shape(ask("DELETE", f"/{never}"), face, 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_405(ask: Asker, face: Dialect, method: str) -> None:
    answer = ask(method)

    assert_shape(answer, face, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_409(ask: Asker, face: Dialect) -> None:
    assert_shape(ask("POST", body=ask.body), face, 409, "name_taken")


def test_413(ask: Asker, face: Dialect) -> None:
    assert_shape(ask("POST", body=b" " * 65_537), face, 413, "request_too_large")


def test_415(ask: Asker, face: Dialect) -> None:
    answer = ask("POST", body=ask.body, content_type="text/plain")

    assert_shape(answer, face, 415, "unsupported_media_type")


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "deflate", "identity, zstd", "aes128gcm"])
def test_415_for_a_content_coding(ask: Asker, face: Dialect, coding: str) -> None:
    body = json.dumps({**ask.body, "name": "Encoded"}).encode()
    sent = gzip.compress(body) if coding == "gzip" else body
    answer = ask("POST", body=sent, headers={"Content-Encoding": coding})

    assert_shape(answer, face, 415, "unsupported_media_type")
    named = coding.rpartition(" ")[2].lower()
    message = face.refusal(answer.body).message
    assert message.endswith(
        f"The content coding “{named}” isn't supported. Send the body uncompressed."
    )
    assert not ApiKey.objects.filter(name="Encoded").exists()
    assert not KeyTemplate.objects.filter(name="Encoded").exists()


def test_a_secret_in_the_content_coding_is_not_repeated(
    ask: Asker, face: Dialect, manager: Issued
) -> None:
    answer = ask("POST", body=ask.body, headers={"Content-Encoding": manager.secret})

    assert_shape(answer, face, 415, "unsupported_media_type")
    assert manager.secret.encode() not in answer.raw


@pytest.mark.parametrize("coding", ["identity", "Identity", "", "identity, identity"])
def test_a_body_without_a_coding_is_read(ask: Asker, face: Dialect, coding: str) -> None:
    body = {**ask.body, "name": "Encoded"}

    assert ask("POST", body=body, headers={"Content-Encoding": coding}).status == face.created


def test_429(ask: Asker, face: Dialect, set_limit: SetLimit) -> None:
    set_limit(1)
    ask()

    for method in ("GET", "POST"):
        answer = ask(method, body=None)
        assert_shape(answer, face, 429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 61


def test_500(ask: Asker, face: Dialect, settings: Settings) -> None:
    assert configured.RATE_LIMIT_TIERS
    settings.RATE_LIMIT_TIERS = {}
    limiter.forget_limiter()

    answer = ask()

    assert_shape(answer, face, 500, "internal_error")
    assert b"Traceback" not in answer.raw


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_503(ask: Asker, face: Dialect, method: str) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("could not connect to server 10.0.0.7")

    with connection.execute_wrapper(refuse):
        answer = ask(method, body=ask.body if method == "POST" else None)

    assert_shape(answer, face, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert b"10.0.0.7" not in answer.raw

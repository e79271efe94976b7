"""A product's own endpoint, as in docs/own-endpoints.md."""

import re
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import StreamingHttpResponse
from django.urls import include, path
from pytest_django import DjangoAssertNumQueries
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle, UserRateThrottle
from rest_framework.views import APIView

from apikeys.api.authentication import ApiKeyAuthentication
from apikeys.api.formats.envelope import ENVELOPE
from apikeys.api.views import ApiKeyView
from apikeys.models import KeyUsage, ScopeUse
from apikeys.ratelimits.budgets import Limit
from apikeys.ratelimits.limiter import Limiter
from apikeys.services import Issued
from apikeys.tokens import Environment, generate
from apikeys.verification import guess_limit
from apikeys.verification.types import VerifiedKey
from config import urls
from organizations.models import Organization
from tests.support.api import MakeKey
from tests.support.client import ApiClient
from tests.support.logs import Lines

_DOCUMENT = Path(settings.BASE_DIR, "docs", "own-endpoints.md").read_text()
_VIEW, _ADDRESSES = re.findall(r"```python\n(.*?)```", _DOCUMENT, re.DOTALL)
_written: dict[str, Any] = {"path": path, "include": include}
exec(_VIEW + _ADDRESSES, _written)


class _Nobody(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class _Never(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        return False


class _Seldom(UserRateThrottle):
    rate = "1/hour"


class Open(ApiKeyView):
    """Asks for a key and nothing more."""

    def get(self, request: Request) -> Response:
        assert isinstance(request.successful_authenticator, ApiKeyAuthentication)
        assert isinstance(request.auth, VerifiedKey)
        return Response({"name": request.auth.name})

    def post(self, request: Request) -> Response:
        return Response({"read": request.data})


class Failing(ApiKeyView):
    """Raises what DRF lets views raise."""

    def get(self, request: Request) -> Response:
        error = APIException("It is away.", code="away")
        error.status_code = int(request.query_params["status"])
        raise error


class Streaming(ApiKeyView):
    """Answers bit by bit."""

    def get(self, request: Request) -> StreamingHttpResponse:
        return StreamingHttpResponse(iter([b"a", b"b"]))


urlpatterns = [
    *_written["urlpatterns"][:1],
    path("v1/open", Open.as_view()),
    path("v1/closed", Open.as_view(permission_classes=(_Nobody,))),
    path("v1/usual", Open.as_view(permission_classes=(IsAuthenticated,))),
    path("v1/never", Open.as_view(throttle_classes=(_Never,))),
    path("v1/seldom", Open.as_view(throttle_classes=(_Seldom,))),
    path("v1/enveloped", Open.as_view(wire=ENVELOPE)),
    path("v1/failing", Failing.as_view()),
    path("v1/streaming", Streaming.as_view()),
    path("", include(urls)),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]
SEARCH = "/v1/search"


def test_it_opens_to_a_key_with_the_scope(
    call: ApiClient, reader: Issued, acme: Organization
) -> None:
    answer = call("GET", SEARCH, key=reader)

    assert (answer.status, answer.body["hits"]) == (200, [])
    assert answer.body["organization"] == str(acme.id)
    assert answer.headers["RateLimit"].startswith('"standard";r=599;')
    assert answer.headers["Cache-Control"] == "no-store"
    assert ScopeUse.objects.get().scope == "search:read"
    assert KeyUsage.objects.get().result == "ok"


def test_each_organization_s_key_opens_its_own(
    call: ApiClient, reader: Issued, foreigner: Issued, globex: Organization
) -> None:
    answer = call("GET", SEARCH, key=foreigner, headers={"X-Workspace-ID": "org_another"})

    assert answer.body["organization"] == str(globex.id)


def test_a_key_without_the_scope_is_told_which(call: ApiClient, make_key: MakeKey) -> None:
    answer = call("GET", SEARCH, key=make_key(scopes=["events:read"]))

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")
    assert "search:read" in answer.error["message"]
    challenge = 'Bearer realm="api", error="insufficient_scope", scope="search:read"'
    assert answer.headers["WWW-Authenticate"] == challenge
    assert "RateLimit" not in answer.headers
    assert KeyUsage.objects.get().result == "insufficient_scope"
    assert not ScopeUse.objects.exists()


@pytest.mark.parametrize("sent", [None, "", "sig_live_nonsense"])
def test_without_a_key_there_is_the_challenge(call: ApiClient, sent: str | None) -> None:
    answer = call("GET", SEARCH, key=sent)

    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="api"')


def test_an_unknown_key_is_looked_up_and_counted_once(
    call: ApiClient, settings: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.INVALID_KEYS_PER_MINUTE = 2
    unknown = generate("sig", Environment.LIVE)

    with django_assert_num_queries(1):
        assert call("GET", SEARCH, key=unknown).status == 401
    assert guess_limit.retry_after("127.0.0.1", b"") == 0
    assert call("GET", SEARCH, key=unknown).status == 401
    assert call("GET", SEARCH, key=unknown).status == 429


def test_beyond_the_limit_there_is_a_time_to_wait_for(
    call: ApiClient, reader: Issued, set_limit: Any
) -> None:
    set_limit(1)
    assert call("GET", SEARCH, key=reader).status == 200

    answer = call("GET", SEARCH, key=reader)

    assert (answer.status, answer.error["code"]) == (429, "rate_limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 61


def test_a_view_without_a_scope_opens_to_every_key(call: ApiClient, make_key: MakeKey) -> None:
    answer = call("GET", "/v1/open", key=make_key(name="Feed", scopes=["events:read"]))

    assert (answer.status, answer.body) == (200, {"name": "Feed"})
    assert not ScopeUse.objects.exists()


def test_permissions_of_the_view_s_own_are_asked_after_one_verification(
    call: ApiClient, reader: Issued, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    call.writes_usage = False

    with django_assert_num_queries(1):
        answer = call("GET", "/v1/closed", key=reader)

    assert (answer.status, answer.error["code"]) == (403, "permission_denied")


def test_the_usual_permissions_and_throttles_of_drf_know_who_asks(
    call: ApiClient, reader: Issued, make_key: MakeKey
) -> None:
    other = make_key()

    assert call("GET", "/v1/usual", key=reader).status == 200
    assert [call("GET", "/v1/seldom", key=reader).status for _ in range(2)] == [200, 429]
    assert call("GET", "/v1/seldom", key=other).status == 200


def test_a_throttle_that_knows_no_time_to_wait_names_none(call: ApiClient, reader: Issued) -> None:
    answer = call("GET", "/v1/never", key=reader)

    assert (answer.status, answer.error["code"]) == (429, "rate_limited")
    assert "Retry-After" not in answer.headers
    assert answer.error["message"].endswith("Try again later.")


def test_refusals_are_told_in_the_format_of_the_view(call: ApiClient) -> None:
    answer = call("GET", "/v1/enveloped")

    assert answer.status == 401
    assert answer.body == call("GET", "/envelope/v1/api-keys").body | {
        "requestId": answer.headers["X-Request-Id"]
    }


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "garbage", "image/*"])
def test_json_comes_whatever_is_accepted(call: ApiClient, reader: Issued, accept: str) -> None:
    statuses = [
        call("GET", SEARCH, key=key, headers={"Accept": accept}).status for key in (None, reader)
    ]

    assert statuses == [401, 200]


@pytest.mark.parametrize(
    ("status", "family"),
    [(402, "validation_error"), (410, "validation_error"), (502, "internal_error")],
)
def test_any_status_of_a_view_s_own_is_told(
    call: ApiClient, reader: Issued, status: int, family: str
) -> None:
    answer = call("GET", "/v1/failing", key=reader, query={"status": status})

    assert (answer.status, answer.error["code"]) == (status, "away")
    assert answer.error["type"] == family


def test_a_view_that_is_away_is_no_database_that_is_away(
    call: ApiClient, reader: Issued, lines: Lines
) -> None:
    answer = call("GET", "/v1/failing", key=reader, query={"status": 503})

    assert (answer.status, answer.error["message"]) == (503, "It is away.")
    assert "database_unavailable" not in repr(lines)


def test_answers_can_come_bit_by_bit(call: ApiClient, reader: Issued) -> None:
    secret = reader.secret
    answer = call.client.get("/v1/streaming", headers={"Authorization": f"Bearer {secret}"})

    assert (answer.status_code, b"".join(answer)) == (200, b"ab")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"].startswith("req_")


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a": 1, "a": 2}', b"{", b"\xff"])
def test_bodies_are_read_as_those_of_the_api(call: ApiClient, reader: Issued, body: bytes) -> None:
    assert call("POST", "/v1/open", body, key=reader).status in (400, 413)
    assert call("POST", "/v1/open", {"a": 1}, key=reader).body == {"read": {"a": 1}}


def test_nobody_is_told_how_the_view_is_made(call: ApiClient, reader: Issued) -> None:
    assert call("OPTIONS", "/v1/open", key=reader).status == 405


@pytest.mark.parametrize("scope", ["", "serch:read"])
def test_a_scope_that_no_key_can_hold_is_found_at_the_start(scope: str) -> None:
    class Misspelt(ApiKeyView):
        pass

    Misspelt.scope = scope

    with pytest.raises(ImproperlyConfigured, match="API_KEY_SCOPES"):
        Misspelt.as_view()


@pytest.mark.parametrize("classes", [(), (SessionAuthentication, ApiKeyAuthentication)])
def test_nothing_else_than_a_key_opens_it(classes: Any) -> None:
    class Lenient(ApiKeyView):
        authentication_classes = classes

    for make in (Lenient.as_view, partial(Open.as_view, authentication_classes=classes)):
        with pytest.raises(ImproperlyConfigured, match="API keys alone"):
            make()


def test_a_refused_key_uses_up_no_budget(
    call: ApiClient, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []
    hit = Limiter.hit

    def watched(limiter: Limiter, key_id: UUID, *rest: Any) -> Limit:
        asked.append(key_id)
        return hit(limiter, key_id, *rest)

    monkeypatch.setattr(Limiter, "hit", watched)
    lacking, holding = make_key(scopes=["events:read"]), make_key(scopes=["search:read"])

    statuses = [call("GET", SEARCH, key=key).status for key in (None, lacking, holding)]

    assert statuses == [401, 403, 200]
    assert asked == [holding.key.id]

"""An address of the product's own, as docs/own-addresses.md has it."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.urls import include, path
from pytest_django import DjangoAssertNumQueries
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from apikeys import guesses
from apikeys.api.authentication import ApiKeyAuthentication
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.keyed import KeyedView
from apikeys.limits import Limit, Limiter
from apikeys.models import KeyUsage, ScopeUse
from apikeys.services import Issued
from apikeys.tokens import Environment, generate
from apikeys.verification import FoundSecret
from config import urls
from organizations import ids
from organizations.models import Organization
from tests.client import ApiClient
from tests.support_api import MakeKey

_DOCUMENT = Path(settings.BASE_DIR, "docs", "own-addresses.md").read_text()
_VIEW, _LINE = re.findall(r"```python\n(.*?)```", _DOCUMENT, re.DOTALL)
_written: dict[str, Any] = {"path": path}
exec(_VIEW, _written)


class _Nobody(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return False


class _Always(BaseThrottle):
    def allow_request(self, request: Request, view: APIView) -> bool:
        return False

    def wait(self) -> float:
        return 7


class Open(KeyedView):
    """Asks for a key and nothing more."""

    wire = CANONICAL

    def get(self, request: Request) -> Response:
        assert isinstance(request.successful_authenticator, ApiKeyAuthentication)
        assert isinstance(request.auth, FoundSecret)
        return Response({"name": request.auth.name})


class Closed(Open):
    """Has a permission of its own, which nobody has."""

    permission_classes = (_Nobody,)


class Slow(Open):
    """Has a throttle of its own."""

    throttle_classes = (_Always,)


urlpatterns = [
    *eval(f"[{_LINE}]", _written),
    path("v1/open", Open.as_view()),
    path("v1/closed", Closed.as_view()),
    path("v1/slow", Slow.as_view()),
    path("", include(urls)),
]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]
SEARCH = "/v1/search"


def test_it_opens_to_a_key_with_the_scope(
    call: ApiClient, reader: Issued, acme: Organization
) -> None:
    answer = call("GET", SEARCH, key=reader)

    assert (answer.status, answer.body["hits"]) == (200, [])
    assert answer.body["organization"] == ids.public_id("org", acme.id)
    assert answer.headers["RateLimit"].startswith('"standard";r=599;')
    assert answer.headers["Cache-Control"] == "no-store"
    assert ScopeUse.objects.get().scope == "search:read"
    assert KeyUsage.objects.get().result == "ok"


def test_each_organization_s_key_opens_its_own(
    call: ApiClient, reader: Issued, foreigner: Issued, globex: Organization
) -> None:
    answer = call("GET", SEARCH, key=foreigner, headers={"X-Workspace-ID": "org_another"})

    assert answer.body["organization"] == ids.public_id("org", globex.id)


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
    assert guesses.wait("127.0.0.1") == 0
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


def test_throttles_of_the_view_s_own_are_asked(call: ApiClient, reader: Issued) -> None:
    answer = call("GET", "/v1/slow", key=reader)

    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")


def test_a_refused_key_uses_up_no_budget(
    call: ApiClient, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []
    hit = Limiter.hit

    def watched(limiter: Limiter, key_id: UUID, tier: str) -> Limit:
        asked.append(key_id)
        return hit(limiter, key_id, tier)

    monkeypatch.setattr(Limiter, "hit", watched)
    lacking, holding = make_key(scopes=["events:read"]), make_key(scopes=["search:read"])

    statuses = [call("GET", SEARCH, key=key).status for key in (None, lacking, holding)]

    assert statuses == [401, 403, 200]
    assert asked == [holding.key.id]

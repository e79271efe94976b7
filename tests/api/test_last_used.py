"""`last_used_at` is the last successful use (signa's document). Rejected requests don't count."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys.api.views import ApiKeyView
from apikeys.models import ApiKey, ApiKeySecret, KeyUsage, ScopeUse
from apikeys.services import Issued
from apikeys.tokens import Peppers, read_peppers
from apikeys.usage.recorder import recorder
from config import urls
from organizations.models import Organization, User
from tests.admin.support import IP, enter
from tests.pages.support import developer, html, sign_in
from tests.support.api import CURRENT, KEYS, MakeKey, never, one, templates
from tests.support.client import ApiClient

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SetLimit = Callable[[int], None]


class Says(ApiKeyView):
    """An endpoint of the product's own that answers with the status asked for, raising nothing."""

    def get(self, request: Request, status: int) -> Response:
        return Response({}, status=status)


urlpatterns = [path("v1/says/<int:status>", Says.as_view()), path("", include(urls))]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


def used(issued: Issued) -> Any:
    recorder.flush()
    key = ApiKey.objects.get(pk=issued.key.pk)
    secret = ApiKeySecret.objects.get(key=key)
    assert secret.last_used_at == key.last_used_at
    return key.last_used_at and (key.last_used_at, key.last_used_ip, key.last_used_user_agent)


@pytest.mark.parametrize(
    "path",
    [KEYS, f"{KEYS}/{never('key')}", f"{KEYS}/nonsense"],
    ids=["list", "unknown id", "no id"],
)
def test_a_key_that_only_lacks_the_scope_was_never_used(
    call: ApiClient, make_key: MakeKey, manager: Issued, path: str
) -> None:
    issued = make_key(scopes=["events:read"])

    assert call("GET", path, key=issued).status == 403

    assert used(issued) is None
    body = call("GET", one(issued), key=manager).body
    told = [body[name] for name in ("last_used_at", "last_used_ip", "last_used_user_agent")]
    assert told == [None, None, None]
    usage = call("GET", f"{one(issued)}/usage", key=manager).body
    assert usage["results"] == {"insufficient_scope": 1}


def test_no_format_counts_a_refusal_as_use(
    call: ApiClient, make_key: MakeKey, acme: Organization
) -> None:
    issued = make_key(scopes=["events:read"])
    calls = [
        ("GET", KEYS),
        ("POST", templates(acme)),
        ("GET", "/envelope/v1/api-keys"),
        ("GET", f"/api/v1/workspaces/{acme.public_id}/api-keys"),
    ]

    assert [call(method, address, {}, key=issued).status for method, address in calls] == [403] * 4

    assert used(issued) is None
    assert KeyUsage.objects.get().requests == 4
    assert not ScopeUse.objects.exists()


@pytest.mark.parametrize(("requests", "path", "status"), [(9, KEYS, 403), (1, CURRENT, 429)])
def test_a_refusal_moves_no_time_and_no_address(
    call: ApiClient,
    make_key: MakeKey,
    set_limit: SetLimit,
    requests: int,
    path: str,
    status: int,
) -> None:
    issued = make_key(scopes=["events:read"])
    set_limit(requests)
    with time_machine.travel(NOON, tick=False):
        assert call("GET", CURRENT, key=issued, headers={"User-Agent": "good"}).status == 200
    with time_machine.travel(NOON + timedelta(minutes=10), tick=False):
        refused = call("GET", path, key=issued, headers={"User-Agent": "refused"})

    assert refused.status == status
    assert used(issued) == (NOON, "127.0.0.1", "good")


def test_a_refusal_does_not_hide_a_use_within_the_same_minute(
    call: ApiClient, make_key: MakeKey
) -> None:
    issued = make_key(scopes=["events:read"])

    call("GET", KEYS, key=issued)
    assert used(issued) is None
    call("GET", CURRENT, key=issued)

    assert used(issued) is not None


def test_what_the_endpoint_says_to_a_caller_who_was_let_through_is_a_use(
    call: ApiClient, manager: Issued
) -> None:
    assert call("GET", f"{KEYS}/{never('key')}", key=manager).status == 404

    assert used(manager) is not None


@pytest.mark.parametrize(
    ("status", "result"),
    [(401, "forbidden"), (403, "forbidden"), (429, "rate_limited")],
)
def test_an_endpoint_of_the_product_s_own_may_refuse_without_raising(
    call: ApiClient, reader: Issued, status: int, result: str
) -> None:
    assert call("GET", f"/v1/says/{status}", key=reader).status == status

    assert used(reader) is None
    assert KeyUsage.objects.get().result == result


def test_a_refused_secret_still_moves_to_the_newest_pepper(
    call: ApiClient, make_key: MakeKey, settings: Any
) -> None:
    """Or else the key would end with its pepper, although something presents it every day."""
    issued = make_key(scopes=["events:read"])
    peppers: Peppers = settings.API_KEY_PEPPERS
    settings.API_KEY_PEPPERS = read_peppers(f"2:{'b' * 32},1:{peppers.values[1].decode()}")

    call("GET", KEYS, key=issued)

    assert used(issued) is None
    assert ApiKeySecret.objects.get().pepper == 2
    settings.API_KEY_PEPPERS = read_peppers(f"2:{'b' * 32}")
    assert call("GET", KEYS, key=issued).status == 403


def test_a_refusal_writes_nothing_but_its_count(call: ApiClient, make_key: MakeKey) -> None:
    issued = make_key(scopes=["events:read"])
    call.writes_usage = False
    call("GET", KEYS, key=issued)

    with CaptureQueriesContext(connection) as queries:
        recorder.flush()

    written = [q["sql"] for q in queries if "UPDATE apikeys" in q["sql"] or "INSERT" in q["sql"]]
    assert len(written) == 1
    assert "apikeys_keyusage" in written[0]


def test_pages_tell_refused_requests_apart(
    call: ApiClient, make_key: MakeKey, acme: Organization, admin: User
) -> None:
    issued = make_key(scopes=["events:read"])
    browser = sign_in(admin)
    page = developer(acme, f"keys/{issued.key.public_id}/")
    assert "Last rejected" not in html(browser.get(page))
    with time_machine.travel(NOON, tick=False):
        call("GET", KEYS, key=issued)

    text = html(browser.get(page))

    assert "Never used" in text
    assert "Last rejected" in text
    assert "Missing permission" in text
    assert "2026-11-21T12:00:00Z" in text


def test_staff_see_them_apart(call: ApiClient, make_key: MakeKey, staff: User) -> None:
    issued = make_key(scopes=["events:read"])
    with time_machine.travel(NOON, tick=False):
        call("GET", KEYS, key=issued)

    browser = enter(Client(REMOTE_ADDR=IP), staff)
    page = browser.get(reverse("admin:apikeys_apikey_change", args=[issued.key.pk]))

    assert "in the hour from 21 Nov 2026, 12:00 UTC: insufficient_scope" in html(page)

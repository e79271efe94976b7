"""No format lets a key create a key with more permissions than its own."""

from datetime import UTC, datetime, timedelta

import pytest

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations import services as organization_services
from organizations.models import Organization
from tests.api.formats.conftest import Send
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.api import CURRENT, KEYS, MakeKey, never
from tests.support.client import ApiClient
from tests.support.dialects import Dialect, that_can

BODY = {"name": "New", "scopes": ["search:read"]}
pytestmark = pytest.mark.django_db


def test_a_key_cannot_hand_out_a_scope_that_it_lacks(call: ApiClient, make_key: MakeKey) -> None:
    lesser = make_key(scopes=["api-keys:manage", "search:read"])
    before = ApiKey.objects.count()

    answer = call("POST", KEYS, {"name": "More", "scopes": ALL_SCOPES}, key=lesser)

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")
    assert answer.fields == ["scopes"]
    assert "trademarks:read, portfolios:manage, events:read" in answer.error["message"]
    assert ApiKey.objects.count() == before


@pytest.mark.parametrize("given", [{}, {"expires_at": None}, {"expires_at": "{later}"}])
def test_a_key_that_ends_cannot_make_one_that_outlives_it(
    send: Send, make_key: MakeKey, given: dict[str, str | None]
) -> None:
    end = datetime.now(UTC) + timedelta(days=2)
    mortal = make_key(scopes=ALL_SCOPES, expires_at=end)
    later = f"{end + timedelta(seconds=2):%FT%TZ}"
    ends = {name: value and value.format(later=later) for name, value in given.items()}

    answer = send("POST", key=mortal, **BODY, **ends)

    assert answer.status == 403
    assert answer.refusal.code in ("exceeds_own_expiry", None)
    assert f"{end:%FT%TZ}" in answer.refusal.message
    assert not ApiKey.objects.filter(name="New").exists()


@that_can("update")
def test_a_key_that_ends_can_make_one_that_ends_with_it(
    send: Send, dialect: Dialect, make_key: MakeKey
) -> None:
    end = datetime.now(UTC) + timedelta(days=2)
    mortal = make_key(scopes=ALL_SCOPES, expires_at=end)

    answer = send("POST", key=mortal, **BODY, expires_at=f"{end:%FT%TZ}")

    assert answer.status == dialect.created


def test_a_test_key_makes_test_keys(
    call: ApiClient, send: Send, dialect: Dialect, tester: Issued
) -> None:
    secret = dialect.data(send("POST", key=tester, **BODY).body)["key"]

    assert secret.startswith("sig_test_")
    current = call("GET", CURRENT, key=secret).body
    assert (current["key_type"], current["livemode"]) == ("test", False)


def test_a_test_key_sees_and_revokes_test_keys_only(
    send: Send, dialect: Dialect, manager: Issued, tester: Issued
) -> None:
    listed = dialect.items(send("GET", key=tester).body)

    assert [item["name"] for item in listed] == ["Tester"]
    assert send("DELETE", f"/{manager.key.pk}", key=tester).status == 404
    manager.key.refresh_from_db()
    assert manager.key.revoked_at is None


def test_a_test_key_cannot_make_a_live_one(call: ApiClient, tester: Issued) -> None:
    answer = call("POST", KEYS, {**BODY, "key_type": "live"}, key=tester)

    assert (answer.status, answer.error["code"]) == (403, "live_key_required")
    assert answer.fields == ["key_type"]


# --- Service accounts ---


@that_can("update")
def test_a_foreign_a_missing_and_a_disabled_service_account_get_one_answer(
    send: Send, dialect: Dialect, acme: Organization, globex: Organization
) -> None:
    disabled = ServiceAccountFactory.create(organization=acme)
    organization_services.set_service_account_enabled(disabled, enabled=False, actor=SYSTEM)
    foreign = ServiceAccountFactory.create(organization=globex)
    texts = [disabled.public_id, foreign.public_id, never("sa"), "nonsense", ""]

    answers = [send("POST", **BODY, service_account=text) for text in texts]

    assert {answer.status for answer in answers} == {400}
    assert {answer.refusal.message for answer in answers} == {
        "Unknown or disabled service account."
    }
    named = (dialect.sends["service_account"],)
    assert {answer.refusal.fields for answer in answers} == {named}

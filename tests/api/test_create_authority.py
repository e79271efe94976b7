"""POST /v1/api-keys: no more authority than one's own."""

from datetime import UTC, datetime, timedelta

import pytest

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations import services as organization_services
from organizations.models import Organization
from tests.client import ApiClient
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support_api import CURRENT, KEYS, MakeKey, never

BODY = {"name": "New", "scopes": ["search:read"]}


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
    call: ApiClient, make_key: MakeKey, given: dict[str, str | None]
) -> None:
    end = datetime.now(UTC) + timedelta(days=2)
    mortal = make_key(scopes=ALL_SCOPES, expires_at=end)
    later = f"{end + timedelta(seconds=2):%FT%TZ}"
    body = {**BODY, **{k: v and v.format(later=later) for k, v in given.items()}}

    answer = call("POST", KEYS, body, key=mortal)

    assert (answer.status, answer.error["code"]) == (403, "exceeds_own_expiry")
    assert answer.fields == ["expires_at"]
    assert f"{end:%FT%TZ}" in answer.error["message"]


def test_a_key_that_ends_can_make_one_that_ends_with_it(call: ApiClient, make_key: MakeKey) -> None:
    end = datetime.now(UTC) + timedelta(days=2)
    mortal = make_key(scopes=ALL_SCOPES, expires_at=end)

    assert call("POST", KEYS, {**BODY, "expires_at": f"{end:%FT%TZ}"}, key=mortal).status == 201


def test_a_test_key_makes_test_keys(call: ApiClient, sandbox: Issued) -> None:
    answer = call("POST", KEYS, BODY, key=sandbox)

    assert (answer.body["key_type"], answer.body["livemode"]) == ("test", False)
    assert answer.body["key"].startswith("sig_test_")
    assert call("GET", CURRENT, key=answer.body["key"]).status == 200


def test_a_test_key_cannot_make_a_live_one(call: ApiClient, sandbox: Issued) -> None:
    answer = call("POST", KEYS, {**BODY, "key_type": "live"}, key=sandbox)

    assert (answer.status, answer.error["code"]) == (403, "live_key_required")
    assert answer.fields == ["key_type"]


# --- Service accounts ---


def test_a_foreign_a_missing_and_a_disabled_service_account_get_one_answer(
    call: ApiClient, manager: Issued, acme: Organization, globex: Organization
) -> None:
    disabled = ServiceAccountFactory.create(organization=acme)
    organization_services.set_service_account_enabled(disabled, enabled=False, actor=SYSTEM)
    foreign = ServiceAccountFactory.create(organization=globex)
    texts = [disabled.public_id, foreign.public_id, never("sa"), "nonsense", ""]

    answers = [call("POST", KEYS, {**BODY, "service_account": text}, key=manager) for text in texts]

    assert {answer.status for answer in answers} == {400}
    assert {answer.error["message"] for answer in answers} == {
        "This is no enabled service account of the organization."
    }
    assert all(answer.fields == ["service_account"] for answer in answers)

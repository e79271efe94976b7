"""The rate limit of a key: the real limiter, one budget in both formats."""

from collections.abc import Callable

import pytest

from apikeys.services import Issued
from organizations import services as organization_services
from organizations.models import Organization
from tests.client import ApiClient
from tests.factories import SYSTEM
from tests.support_api import CURRENT, KEYS, MakeKey, one, templates

SetLimit = Callable[[int], None]


def test_both_formats_share_one_budget(
    call: ApiClient, manager: Issued, acme: Organization, set_limit: SetLimit
) -> None:
    set_limit(4)
    paths = [KEYS, templates(acme), CURRENT, one(manager)]

    assert [call("GET", path, key=manager).status for path in paths] == [200] * 4
    assert [call("GET", path, key=manager).status for path in paths] == [429] * 4


def test_the_account_format_says_it_in_the_same_body(
    call: ApiClient, manager: Issued, acme: Organization, set_limit: SetLimit
) -> None:
    set_limit(1)
    call("GET", templates(acme), key=manager)

    answer = call("GET", templates(acme), key=manager)

    assert (answer.status, answer.error["type"]) == (429, "rate_limited")
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 61


def test_each_key_has_a_budget_of_its_own(
    call: ApiClient, manager: Issued, make_key: MakeKey, set_limit: SetLimit
) -> None:
    set_limit(1)
    other = make_key()
    call("GET", CURRENT, key=manager)

    assert call("GET", CURRENT, key=manager).status == 429
    assert call("GET", CURRENT, key=other).status == 200


def test_a_new_secret_does_not_renew_the_budget(
    call: ApiClient, manager: Issued, set_limit: SetLimit
) -> None:
    set_limit(1)
    new = call("POST", f"{one(manager)}/rotate", key=manager).body["key"]

    assert call("GET", CURRENT, key=new).status == 429


@pytest.mark.parametrize(
    "spoil", [lambda s: s[:13], lambda s: s[:-1], lambda s: s[:13] + "0" * 36, lambda s: s.lower()]
)
def test_bad_secrets_use_up_nobody_s_budget(
    call: ApiClient, reader: Issued, set_limit: SetLimit, spoil: Callable[[str], str]
) -> None:
    set_limit(1)
    for _ in range(5):
        assert call("GET", CURRENT, key=spoil(reader.secret)).status == 401

    assert call("GET", CURRENT, key=reader).status == 200


def test_calls_refused_for_access_use_up_no_budget(
    call: ApiClient, reader: Issued, acme: Organization, set_limit: SetLimit
) -> None:
    set_limit(1)
    organization_services.set_api_access(acme, enabled=False, actor=SYSTEM)
    assert [call("GET", CURRENT, key=reader).status for _ in range(3)] == [403] * 3
    organization_services.set_api_access(acme, enabled=True, actor=SYSTEM)

    assert call("GET", CURRENT, key=reader).status == 200


def test_calls_that_fail_otherwise_do_count(
    call: ApiClient, reader: Issued, set_limit: SetLimit
) -> None:
    set_limit(1)

    assert call("GET", KEYS, key=reader).status == 403
    assert call("GET", KEYS, key=reader).status == 429


def test_a_call_over_the_limit_writes_nothing(
    call: ApiClient, manager: Issued, reader: Issued, set_limit: SetLimit
) -> None:
    set_limit(1)
    call("GET", CURRENT, key=manager)

    assert call("DELETE", one(reader), key=manager).status == 429
    assert call("GET", CURRENT, key=reader).status == 200


def test_an_unknown_address_needs_no_key_and_counts_for_none(
    call: ApiClient, reader: Issued, set_limit: SetLimit
) -> None:
    set_limit(1)
    assert [call("GET", "/v1/nowhere", key=reader).status for _ in range(3)] == [404] * 3

    assert call("GET", CURRENT, key=reader).status == 200


def test_the_tier_of_the_organization_decides(
    call: ApiClient, reader: Issued, acme: Organization, set_limit: SetLimit
) -> None:
    set_limit(1)
    organization_services.set_rate_limit_tier(acme, tier="high", actor=SYSTEM)

    assert [call("GET", CURRENT, key=reader).status for _ in range(5)] == [200] * 5

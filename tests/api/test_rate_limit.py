"""The rate limit of a key, with the real limiter. Formats share it."""

import re
from collections.abc import Callable

import pytest

from apikeys import services
from apikeys.services import Issued
from core.actors import Actor
from core.exceptions import Forbidden, Invalid
from organizations import services as organization_services
from organizations.models import Organization
from tests.factories import SYSTEM
from tests.support.api import CURRENT, KEYS, MakeKey, one, templates
from tests.support.client import ApiClient

SetLimit = Callable[[int], None]
LEFT = re.compile(r'"standard";r=(\d+);t=(\d+), "organization";r=\d+;t=\d+')


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


def test_every_answer_says_where_the_limit_stands(
    call: ApiClient, manager: Issued, acme: Organization, set_limit: SetLimit
) -> None:
    set_limit(3)
    paths = [KEYS, f"/envelope{KEYS}", f"/api/v1/workspaces/{acme.pk}/nothing", templates(acme)]

    answers = [call("GET", path, key=manager) for path in (*paths, f"{KEYS}/key_bad")]

    counted = [answer for answer in answers if "RateLimit" in answer.headers]
    assert [answer.status for answer in answers] == [200, 200, 404, 200, 429]
    assert {answer.headers["RateLimit-Policy"] for answer in counted} == {
        '"standard";q=3;w=60, "organization";q=30;w=60'
    }
    left = [LEFT.fullmatch(answer.headers["RateLimit"]) for answer in counted]
    assert [found and int(found[1]) for found in left] == [2, 1, 0, 0]
    assert all(found and 1 <= int(found[2]) <= 60 for found in left)
    assert int(answers[-1].headers["Retry-After"]) >= int(left[-1][2] if left[-1] else 99)


def test_nobody_without_a_key_learns_of_a_limit(call: ApiClient, reader: Issued) -> None:
    answers = [call("GET", CURRENT), call("GET", CURRENT, key=reader.secret[:-1] + "!")]

    assert all("RateLimit" not in answer.headers for answer in answers)


def test_a_key_has_its_own_tier_where_staff_gave_it_one(
    call: ApiClient, manager: Issued, reader: Issued, set_limit: SetLimit
) -> None:
    set_limit(1)
    services.set_key_rate_limit_tier(manager.key, tier="high", actor=SYSTEM)

    both = [[call("GET", CURRENT, key=key).status for _ in range(2)] for key in (manager, reader)]

    assert both == [[200, 200], [200, 429]]
    assert call("GET", CURRENT, key=manager).body["rate_limit_tier"] == "high"


@pytest.mark.parametrize("part", ["admin", "manager"])
def test_only_staff_set_the_tier_of_a_key(
    manager: Issued, act_as: Callable[[str], Actor], part: str
) -> None:
    with pytest.raises(Forbidden):
        services.set_key_rate_limit_tier(manager.key, tier="high", actor=act_as(part))


def test_an_unknown_tier_is_refused(manager: Issued) -> None:
    with pytest.raises(Invalid):
        services.set_key_rate_limit_tier(manager.key, tier="endless", actor=SYSTEM)

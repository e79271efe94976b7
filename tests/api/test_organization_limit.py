"""The rate limit of an organization, shared by all of its keys, in every format."""

import re
from collections.abc import Callable

import pytest
from pytest_django import Settings

from apikeys import services
from apikeys.models import KeyUsage
from apikeys.services import Issued
from organizations import services as organization_services
from organizations import tiers
from organizations.models import Organization
from tests.factories import SYSTEM
from tests.support.api import CURRENT, KEYS, MakeKey, templates
from tests.support.client import ApiClient
from tests.support.dialects import refusal_of

SetLimit = Callable[[int], None]
POLICY = '"high";q=1000;w=60, "organization";q=2;w=60'
LEFT = re.compile(r'"high";r=(\d+);t=(\d+), "organization";r=(\d+);t=(\d+)')
MESSAGE = "Too many requests with the API keys of this organization. Try again in "


@pytest.fixture
def two_requests(
    acme: Organization,
    manager: Issued,
    reader: Issued,
    set_limit: SetLimit,
    settings: Settings,
) -> None:
    """All keys of Acme may make two requests together, each of them a thousand."""
    settings.ORGANIZATION_RATE_LIMIT_FACTOR = 1
    set_limit(2)
    for issued in (manager, reader):
        services.set_key_rate_limit_tier(issued.key, tier="high", actor=SYSTEM)


def paths(acme: Organization) -> list[str]:
    """An address of each format."""
    workspace = f"/api/v1/workspaces/{acme.pk}/api-keys"
    return [CURRENT, f"/envelope{KEYS}", workspace, templates(acme)]


@pytest.mark.usefixtures("two_requests")
def test_all_keys_of_an_organization_share_its_limit(
    call: ApiClient, manager: Issued, reader: Issued, foreigner: Issued
) -> None:
    assert [call("GET", CURRENT, key=key).status for key in (manager, reader)] == [200, 200]
    assert [call("GET", CURRENT, key=key).status for key in (manager, reader)] == [429, 429]
    assert call("GET", CURRENT, key=foreigner).status == 200, "of another organization"


@pytest.mark.usefixtures("two_requests")
def test_every_format_tells_both_limits_and_which_was_reached(
    call: ApiClient, manager: Issued, acme: Organization
) -> None:
    within = [call("GET", CURRENT, key=manager) for _ in range(2)]
    beyond = [call("GET", path, key=manager) for path in paths(acme)]

    assert [answer.status for answer in within + beyond] == [200] * 2 + [429] * 4
    assert {answer.headers["RateLimit-Policy"] for answer in within + beyond} == {POLICY}
    left = [LEFT.fullmatch(answer.headers["RateLimit"]) for answer in within + beyond]
    counted = [(int(found[1]), int(found[3])) for found in left if found]
    assert counted == [(999, 1), (998, 0)] + [(998, 0)] * 4
    for answer, found in zip(beyond, left[2:], strict=True):
        assert found
        assert int(answer.headers["Retry-After"]) == int(found[4])
        refusal = refusal_of(answer.path, answer.body)
        assert refusal.message.startswith(MESSAGE)
        assert refusal.code in ("rate_limited", None)


@pytest.mark.usefixtures("two_requests")
def test_usage_counts_it_as_rate_limited(call: ApiClient, manager: Issued) -> None:
    for _ in range(5):
        call("GET", CURRENT, key=manager)

    assert dict(KeyUsage.objects.values_list("result", "requests")) == {"ok": 2, "rate_limited": 3}


@pytest.mark.usefixtures("two_requests")
def test_nothing_is_done_beyond_it(call: ApiClient, manager: Issued, reader: Issued) -> None:
    for key in (manager, reader):
        call("GET", CURRENT, key=key)

    answer = call("DELETE", f"{KEYS}/{reader.key.public_id}", key=manager)

    reader.key.refresh_from_db()
    assert (answer.status, reader.key.revoked_at) == (429, None)


@pytest.mark.usefixtures("two_requests")
def test_what_a_key_is_refused_is_not_counted_against_its_organization(
    call: ApiClient, manager: Issued, reader: Issued, make_key: MakeKey, settings: Settings
) -> None:
    settings.RATE_LIMIT_TIERS = {**settings.RATE_LIMIT_TIERS, "one": "1/minute"}
    services.set_key_rate_limit_tier(manager.key, tier="one", actor=SYSTEM)

    statuses = [call("GET", CURRENT, key=key).status for key in (*[manager] * 4, reader, reader)]
    refused = call("GET", CURRENT, key=manager)

    assert statuses == [200, 429, 429, 429, 200, 429]
    assert refused.status == 429


def test_the_tier_of_the_organization_decides_whatever_that_of_its_keys(
    call: ApiClient, reader: Issued, acme: Organization, two_requests: None
) -> None:
    organization_services.set_rate_limit_tier(acme, tier="high", actor=SYSTEM)

    answers = [call("GET", CURRENT, key=reader) for _ in range(5)]

    assert [answer.status for answer in answers] == [200] * 5
    policy = '"high";q=1000;w=60, "organization";q=1000;w=60'
    assert answers[0].headers["RateLimit-Policy"] == policy


def test_without_a_limit_of_the_organization_the_headers_tell_one(
    call: ApiClient, reader: Issued, settings: Settings, set_limit: SetLimit
) -> None:
    settings.ORGANIZATION_RATE_LIMIT_FACTOR = 0
    set_limit(3)

    answer = call("GET", CURRENT, key=reader)

    assert answer.headers["RateLimit-Policy"] == '"standard";q=3;w=60'
    assert re.fullmatch(r'"standard";r=2;t=\d+', answer.headers["RateLimit"])


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ("6000/minute", "6,000 requests per minute"),
        ("1/second", "1 request per second"),
        ("100/5 minutes", "100 requests per 5 minutes"),
        ("20 per hour", "20 requests per hour"),
    ],
)
def test_a_limit_in_words(settings: Settings, limit: str, words: str) -> None:
    settings.RATE_LIMIT_TIERS = {"standard": limit}

    assert tiers.in_words(tiers.key_limit("standard")) == words

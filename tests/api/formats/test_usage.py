"""GET …/{id}/usage in every format that has it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from apikeys.models import KeyUsage
from apikeys.services import Issued
from tests.api.formats.conftest import Send
from tests.support.api import MakeKey
from tests.support.client import ApiClient
from tests.support.dialects import Dialect, that_can

NOON = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
pytestmark = [
    pytest.mark.django_db,
    that_can("usage"),
]


def _add(issued: Issued, hours_ago: int, **results: int) -> None:
    hour = NOON.replace(minute=0) - timedelta(hours=hours_ago)
    for result, requests in results.items():
        KeyUsage.objects.create(key=issued.key, hour=hour, result=result, requests=requests)


@pytest.fixture
def target(make_key: MakeKey) -> Issued:
    issued = make_key(name="Target")
    _add(issued, 0, ok=3, rate_limited=1)
    _add(issued, 2, ok=5)
    _add(issued, 23, server_error=2)
    _add(issued, 24, ok=100)
    _add(make_key(), 0, ok=1000)
    return issued


def _usage(send: Send, dialect: Dialect, target: Issued, query: str = "") -> dict[str, Any]:
    with time_machine.travel(NOON, tick=False):
        answer = send("GET", f"/{target.key.public_id}/usage{query}")
    assert answer.status == 200, answer.raw
    data: dict[str, Any] = dialect.data(answer.body)
    return data


def test_the_last_day_by_hour(send: Send, dialect: Dialect, target: Issued) -> None:
    usage = _usage(send, dialect, target)

    assert (usage["interval"], usage["requests"]) == ("hour", 11 + 100)
    assert (usage["start"], usage["end"]) == ("2026-11-20T12:00:00Z", "2026-11-21T13:00:00Z")
    assert usage["results"] == {"ok": 108, "rate_limited": 1, "server_error": 2}
    assert len(usage["intervals"]) == 25
    last = usage["intervals"][-1]
    assert last == {
        "start": "2026-11-21T12:00:00Z",
        "requests": 4,
        "results": {"ok": 3, "rate_limited": 1},
    }
    assert usage["intervals"][-2] == {
        "start": "2026-11-21T11:00:00Z",
        "requests": 0,
        "results": {},
    }


def test_whole_days(send: Send, dialect: Dialect, target: Issued) -> None:
    query = "?interval=day&from=2026-11-20T23:59:59Z&to=2026-11-21T00:00:01Z"
    usage = _usage(send, dialect, target, query)

    assert [(i["start"], i["requests"]) for i in usage["intervals"]] == [
        ("2026-11-20T00:00:00Z", 102),
        ("2026-11-21T00:00:00Z", 9),
    ]


def test_an_end_at_the_beginning_of_an_hour_leaves_that_hour_out(
    send: Send, dialect: Dialect, target: Issued
) -> None:
    query = "?from=2026-11-21T10:00:00Z&to=2026-11-21T12:00:00Z"
    usage = _usage(send, dialect, target, query)

    assert [i["requests"] for i in usage["intervals"]] == [5, 0]


def test_an_offset_is_understood(send: Send, dialect: Dialect, target: Issued) -> None:
    query = "?from=2026-11-21T11:00:00%2B01:00&to=2026-11-21T12:00:00%2B01:00"

    assert [i["requests"] for i in _usage(send, dialect, target, query)["intervals"]] == [5]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("interval=week", "interval"),
        ("interval=", "interval"),
        ("interval=HOUR", "interval"),
        ("from=yesterday", "from"),
        ("from=2026-11-20", "from"),
        ("from=2026-11-20T00:00:00", "from"),
        ("to=%00", "to"),
        ("from=2026-11-21T10:00:00Z&to=2026-11-21T09:00:00Z", "from"),
        ("from=2026-11-21T10:00:00Z&to=2026-11-21T10:00:00Z", "from"),
        ("from=2026-11-22T10:00:00Z&to=2026-11-22T11:00:00Z", "from"),
        ("to=2027-11-22T10:00:00Z", "to"),
        ("from=1999-12-31T00:00:00Z&interval=day&to=2000-01-05T00:00:00Z", "from"),
        ("from=0001-01-01T00:00:00Z", "from"),
        ("from=0001-01-01T00:00:00%2B14:00", "from"),
        ("to=0001-01-01T00:00:00Z", "to"),
        ("to=9999-12-31T23:59:59Z", "to"),
        ("to=9999-12-31T23:59:59-14:00", "to"),
        ("from=2026-01-01T00:00:00Z", "from"),
        ("from=2025-01-01T00:00:00Z&interval=day", "from"),
        ("since=2026-11-21T10:00:00Z", "since"),
        ("interval=day&interval=day", "interval"),
    ],
)
def test_what_makes_no_sense_is_named(send: Send, target: Issued, query: str, field: str) -> None:
    with time_machine.travel(NOON, tick=False):
        answer = send("GET", f"/{target.key.public_id}/usage?{query}")

    assert (answer.status, answer.refusal.fields) == (400, (field,)), answer.raw


def test_nothing_counted_is_no_error(send: Send, dialect: Dialect, make_key: MakeKey) -> None:
    usage = _usage(send, dialect, make_key())

    assert (usage["requests"], usage["results"]) == (0, {})


def test_usage_is_the_organization_s_own(
    call: ApiClient, dialect: Dialect, target: Issued, foreigner: Issued, reader: Issued
) -> None:
    path = f"{dialect.keys(target.key.organization)}/{target.key.public_id}/usage"

    assert call("GET", path, key=foreigner).status == 404
    assert call("GET", path, key=reader).status == 403
    assert call("POST", path, {}, key=foreigner).status == 405


def test_every_call_is_counted_under_its_reason(
    call: ApiClient, send: Send, dialect: Dialect, make_key: MakeKey, manager: Issued
) -> None:
    issued = make_key(name="Counted", scopes=["search:read"])
    for path, status in (("/v1/api-keys/current", 200), ("/v1/api-keys", 403), ("/v1/x", 404)):
        assert call("GET", path, key=issued).status == status
    call("DELETE", f"/v1/api-keys/{issued.key.pk}", key=manager)
    assert call("GET", "/v1/api-keys/current", key=issued).status == 401

    data = dialect.data(send("GET", f"/{issued.key.public_id}/usage").body)

    # An address that is none is refused before anybody looks at the key.
    assert data["results"] == {"ok": 1, "insufficient_scope": 1, "key_revoked": 1}

"""Invalid fields of a key get a 400 that names the field. Nothing is stored."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apikeys.services import Issued
from organizations.models import Organization
from tests.api.formats.conftest import Send
from tests.support.api import Refuses
from tests.support.client import ApiClient
from tests.support.dialects import CANONICAL, DIALECTS, ENVELOPE, Dialect, that_can

GOOD: dict[str, Any] = {"name": "Good", "scopes": ["search:read"]}
pytestmark = pytest.mark.django_db
NO_TEXT: list[Any] = [None, True, 7, 1.5, [], ["x"], {}, {"a": "b"}]
NO_TIME: list[Any] = [
    "", " ", "tomorrow", 1893456000, 1893456000.5, True, [], {}, "1893456000", "2027-01-31",
    "2027-01-31T12:00:00", "2027-01-31 12:00:00Z", "2027-01-31T12:00Z", "20270131T120000Z",
    "2027-02-30T12:00:00Z", "2027-13-01T12:00:00Z", "2027-01-31T25:00:00Z", "2027-01-31T12:60:00Z",
    "2026-12-31T23:59:60Z", "2027-01-31T12:00:00+24:00", "2027-01-31T12:00:00+0530",
    "2027-01-31T12:00:00 Z", "2027-01-31T12:00:00Z ", "2027-01-31T12:00:00Z\n",
    "2027-W05-7T12:00:00Z",
    "２０２７-01-31T12:00:00Z", "+2027-01-31T12:00:00Z", "2027-01-31T12:00:00.Z",
    "2027-01-31T12:00:00.1234567890Z", "2027-01-31T12:00:00[Europe/Berlin]", "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "2020-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "2999-01-01T00:00:00Z", "\x00", "\ud800",
    "2027-01-31T12:00:00Z" * 1000,
]  # fmt: skip
BAD: dict[str, list[Any]] = {
    "name": [
        *NO_TEXT, "", " ", "\t", "\u200b", "\u00a0\u3000", "\u0301", "x" * 101, "x" * 60_000,
        "a\x00b", "a\nb", "a\tb", "a\x7fb", "a\x1bb", "a\x85b", "a\u2028b", "a\u2029b", "a\u202eb",
        "\u2066a\u2069", "a\u200fb", "a\u061cb", "\ud800", "a\udfffb", "\udc00\ud800",
    ],
    "description": [*NO_TEXT, "x" * 501, "a\x00b", "a\x0bb", "a\u202eb", "\ud83d"],
    "scopes": [None, "search:read", "", "*", True, 7, {}, {"search:read": True}, []],
    "scopes.0": [
        ["*"], [""], [None], [7], [True], [["search:read"]], [{}], ["search"], ["search:*"],
        ["SEARCH:READ"], ["search:Read"], ["search:read "], [" search:read"], ["search:read\x00"],
        ["search:readx"], ["search:read,events:read"], ["search:read events:read"],
        ["api-keys:manage2"], ["admin"], ["root"], ["\ud800"], ["ſearch:read"], ["x" * 9_999],
    ],
    "scopes.1": [
        ["search:read", "search:read"], ["search:read", "*"], ["search:read", 1],
        ["search:read", ["events:read"]], ["search:read", None],
    ],
    "metadata": [
        None, [], [1], ["ab"], [["a", "b"]], "", "a", "ab", 0, 7, True, False,
        {"": "x"}, {" ": "x"}, {"k" * 41: "x"}, {" " * 41: "x"}, {"a\x00b": "x"}, {"a\u202eb": "x"},
        {"\ud800": "x"}, {f"k{n}": "x" for n in range(51)}, {f"k{n}": "x" for n in range(1_000)},
    ],
    "metadata.a": [
        {"a": value} for value in (
            None, True, 7, 1.5, 10**400, [], ["x"], {}, {"b": "c"}, "x" * 501, " " * 501,
            "e\u0301" * 251, "a\x00b", "\ud800", "a\u202eb",
        )
    ],
    "expires_at": NO_TIME,
    "key_type": [*NO_TEXT, "", "LIVE", "prod", "live ", "\ud800", "x" * 9_999],
    "service_account": [True, 7, [], {}, "", "x", "sa_", "sa_" + "z" * 22, "\x00", "\ud800"],
}  # fmt: skip
CHANGES = {field: BAD[field] for field in BAD if field not in ("key_type", "service_account")} | {
    "enabled": [None, "true", "", 1, 0, [], {}]
}
UNKNOWN = [
    "id", "object", "key", "key_hash", "keyHash", "digest", "secret", "hash", "prefix",
    "key_prefix", "status", "created_at", "updated_at", "revoked_at", "last_used_at",
    "last_used_ip", "created_by", "createdBy", "rate_limit_tier", "livemode", "organization",
    "organization_id", "organizationId", "workspace_id", "userId", "user_id", "environment",
    "disabled_at", "request_id", "expiresAt", "Name", "name ", "__proto__", "constructor",
    "non_field_errors", "body", "detail", "a.b", "naïve", "x" * 9_999,
]  # fmt: skip


def field_cases(corpus: dict[str, list[Any]], operation: str) -> list[Any]:
    """One case a format and value, with a short name, of the fields that the format takes."""
    return [
        pytest.param(dialect, field, value, id=f"{dialect}-{field}-{position}")
        for dialect in DIALECTS
        if operation in dialect.can
        for field, values in corpus.items()
        if field.partition(".")[0] in dialect.sends
        for position, value in enumerate(values)
    ]


def unknown_cases(operation: str, *more: str) -> list[Any]:
    """One case a format and name that is no field of it; canonical names of others among them."""
    return [
        pytest.param(dialect, name, id=f"{dialect}-{position}")
        for dialect in DIALECTS
        if operation in dialect.can
        for position, name in enumerate((*UNKNOWN, *more, "metadata", "scopes"))
        if name not in dialect.sends.values()
    ]


def _sent(dialect: Dialect, field: str) -> tuple[str, str]:
    """What the format calls a field, alone and with the place within it."""
    head, dot, place = field.partition(".")
    return dialect.sends[head], dialect.sends[head] + dot + place


@pytest.mark.parametrize(("dialect", "field", "value"), field_cases(BAD, "create"))
def test_a_key_is_not_made_with_a_bad_field(
    refuses: Refuses, dialect: Dialect, field: str, value: Any
) -> None:
    name, place = _sent(dialect, field)
    refuses("POST", "", {**dialect.body(**GOOD), name: value}, place)


@pytest.mark.parametrize(("dialect", "field", "value"), field_cases(CHANGES, "update"))
def test_a_key_is_not_changed_to_a_bad_field(
    refuses: Refuses, dialect: Dialect, reader: Issued, field: str, value: Any
) -> None:
    name, place = _sent(dialect, field)
    refuses("PATCH", f"/{reader.key.public_id}", {name: value}, place)


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_that_is_infinite_once_it_is_read_is_refused(
    refuses: Refuses, dialect: Dialect, number: str
) -> None:
    body = json.dumps(dialect.body(**GOOD)).replace('"Good"', number)
    assert number in body

    refuses("POST", "", body.encode(), dialect.sends["name"])


@pytest.mark.parametrize(("dialect", "name"), unknown_cases("create", "enabled"))
def test_a_key_is_not_made_with_a_field_that_there_is_not(
    refuses: Refuses, dialect: Dialect, name: str
) -> None:
    answer = refuses("POST", "", {**dialect.body(**GOOD), name: "x"}, name)

    assert answer.refusal.code in ("unknown_field", None)


@pytest.mark.parametrize(
    ("dialect", "name"), unknown_cases("update", "key_type", "service_account")
)
def test_a_key_is_not_changed_by_a_field_that_there_is_not(
    refuses: Refuses, reader: Issued, name: str
) -> None:
    refuses("PATCH", f"/{reader.key.public_id}", {name: None}, name)


@pytest.mark.parametrize("name", ["a\ud800b", "\udfff"])
def test_a_field_name_that_is_no_text_is_refused_readably(
    refuses: Refuses, dialect: Dialect, name: str
) -> None:
    refuses("POST", "", {**dialect.body(**GOOD), name: 1}, name.encode("utf-8", "replace").decode())


def test_a_field_name_with_nul_is_refused(refuses: Refuses, dialect: Dialect) -> None:
    refuses("POST", "", {**dialect.body(**GOOD), "a\x00": 1}, "a\x00")


@pytest.mark.parametrize(
    ("dialect", "named"),
    [
        (CANONICAL, ["description", "metadata.a", "name", "scopes"]),
        (ENVELOPE, ["description", "name"]),
    ],
    ids=str,
)
def test_every_bad_field_is_named_at_once(send: Send, named: list[str]) -> None:
    answer = send("POST", name="", scopes=[], description="x" * 501, metadata={"a": "\x00"})

    assert sorted(answer.refusal.fields) == named


@that_can("update")
@pytest.mark.parametrize("seconds", [0, 1, 59, 60, (3653 * 24 * 60 * 60) + 2])
def test_an_end_within_a_minute_or_beyond_ten_years_is_refused(
    refuses: Refuses, dialect: Dialect, seconds: int
) -> None:
    end = f"{datetime.now(UTC) + timedelta(seconds=seconds):%FT%TZ}"

    refuses("POST", "", dialect.body(**GOOD, expires_at=end), dialect.sends["expires_at"])


@pytest.mark.parametrize("lead", ["", "KEY", "key=", "9", "Bearer ", "ſ", "_"])
@pytest.mark.parametrize(
    "part",
    [
        lambda secret: {"name": secret},
        lambda secret: {"description": secret},
        lambda secret: {"metadata": {"a": secret}},
        lambda secret: {"metadata": {secret: 7}},
        lambda secret: {secret: 1},
        lambda secret: {"key_type": secret},
        lambda secret: {"scopes": [secret]},
        lambda secret: {"scope": secret},
        lambda secret: {"serviceAccountId": secret},
    ],
)
def test_a_secret_in_a_field_is_refused_and_not_repeated(
    call: ApiClient,
    dialect: Dialect,
    acme: Organization,
    manager: Issued,
    part: Callable[[str], dict[str, Any]],
    lead: str,
) -> None:
    body = {**dialect.body(**GOOD), **part(lead + manager.secret)}

    answer = call("POST", dialect.keys(acme), json.dumps(body).encode(), key=manager)

    assert answer.status == 400
    assert manager.secret[13:].encode() not in answer.raw

"""Unreadable bodies get a 400 that names the body, a 413 or a 415. Nothing is stored."""

import json
from typing import Any

import pytest

from apikeys.services import Issued
from organizations.models import Organization
from tests.support.api import Refuses, stored
from tests.support.client import ApiClient
from tests.support.dialects import DIALECTS, Dialect, that_can

TEXT = json.dumps({"name": "Good", "scopes": ["search:read"]})
DEEP = 100_000
UNREADABLE: dict[str, bytes] = {
    "not JSON": b"name=Good",
    "cut off": TEXT[:-1].encode(),
    "two values": (TEXT * 2).encode(),
    "trailing comma": b'{"name":"a",}',
    "single quotes": b"{'name':'a'}",
    "comment": b'{"name":"a"} // yes',
    "white space": b"  \n ",
    "NUL": b"\x00",
    "NUL behind": TEXT.encode() + b"\x00",
    "raw control character in text": b'{"name":"a\nb"}',
    "NaN": b'{"name":"a","metadata":{"a":NaN}}',
    "Infinity": b'{"name":"a","metadata":{"a":Infinity}}',
    "minus Infinity": b'{"grace_period":-Infinity}',
    "5,000 digits": b'{"grace_period":' + b"9" * 5_000 + b"}",
    "name twice": b'{"name":"a","name":"b","scopes":["search:read"]}',
    "name twice, escaped": b'{"name":"a","n\\u0061me":"b","scopes":["search:read"]}',
    "name twice, within": b'{"name":"a","scopes":["search:read"],"metadata":{"a":"1","a":"1"}}',
    "byte order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 little endian": TEXT.encode("utf-16-le"),
    "UTF-32": TEXT.encode("utf-32"),
    "Latin-1": '{"name":"é","scopes":["search:read"]}'.encode("latin-1"),
    "overlong UTF-8": b'{"name":"\xc0\xaf"}',
    "surrogate in UTF-8": b'{"name":"\xed\xa0\x80"}',
    "arrays 30,000 deep": b"[" * 30_000 + b"]" * 30_000,
    "objects 10,000 deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "open arrays 60,000 deep": b"[" * 60_000,
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}
NO_OBJECT = [b"[]", b'[{"name":"Good"}]', b'"text"', b"null", b"1", b"true", b"1e400", b"[[[]]]"]
OTHER_TYPES = [
    "", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/octet-stream",
    "multipart/form-data", "multipart/form-data; boundary=x", "application/json5", "json", "*/*",
    "application/vnd.api+json", "application/", "application/json, text/plain", "\xff", ";",
    "application/json; charset=utf-16", "application/json; charset=latin-1",
    "application/json;charset=\"iso-8859-1\"", "application/json; charset=utf-7",
    "application/json; charset=nonsense", "application/json; charset=",
    "application/json; charset=utf-8; charset=utf-16",
]  # fmt: skip
JSON_TYPES = [
    "application/json; charset=utf-8", "Application/JSON", 'application/json; charset="UTF-8"',
    "application/json;charset=utf8", "application/json ; q=1", "application/json;",
]  # fmt: skip


@pytest.fixture
def keys(dialect: Dialect, acme: Organization) -> str:
    return dialect.keys(acme)


@pytest.fixture
def good(dialect: Dialect) -> dict[str, Any]:
    return dialect.body(name="Good", scopes=["search:read"])


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_body_that_cannot_be_read_makes_no_key(refuses: Refuses, kind: str) -> None:
    answer = refuses("POST", "", UNREADABLE[kind], "body")

    assert answer.refusal.code in ("invalid_json", None)


@that_can("update", "rotate")
@pytest.mark.parametrize("path", ["", "/rotate"])
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_body_that_cannot_be_read_changes_no_key(
    refuses: Refuses, reader: Issued, kind: str, path: str
) -> None:
    method = "POST" if path else "PATCH"
    refuses(method, f"/{reader.key.public_id}{path}", UNREADABLE[kind], "body")


@pytest.mark.parametrize("body", NO_OBJECT)
def test_a_body_that_is_no_object_makes_no_key(refuses: Refuses, body: bytes) -> None:
    answer = refuses("POST", "", body, "body")

    assert answer.refusal.message.endswith("Send a JSON object.")


@that_can("update", "rotate")
@pytest.mark.parametrize("body", NO_OBJECT)
def test_a_body_that_is_no_object_changes_no_key(
    refuses: Refuses, reader: Issued, body: bytes
) -> None:
    refuses("PATCH", f"/{reader.key.public_id}", body, "body")
    refuses("POST", f"/{reader.key.public_id}/rotate", body, "body")


def test_the_reasons_are_told_apart(refuses: Refuses) -> None:
    messages = [
        refuses("POST", "", UNREADABLE[kind], "body").refusal.message.removeprefix("body: ")
        for kind in ("not JSON", "name twice", "arrays 30,000 deep")
    ]

    assert messages == [
        "The request body is invalid JSON.",
        "The request body gives a name twice.",
        "The request body is nested too deeply.",
    ]


FIELDS = ["name", "scopes", "metadata", "key_type", "expires_at"]


@pytest.mark.parametrize(
    ("dialect", "field"),
    [
        (d, field)
        for d in DIALECTS
        for field in (*(d.sends[name] for name in FIELDS if name in d.sends), "nope")
    ],
)
def test_no_depth_between_readable_and_too_deep_is_a_crash(
    call: ApiClient, keys: str, manager: Issued, field: str
) -> None:
    nested = {depth: b"[" * depth + b"]" * depth for depth in range(1, 1_100, 5)}

    statuses = {
        depth: call("POST", keys, b'{"%s":%s}' % (field.encode(), value), key=manager).status
        for depth, value in nested.items()
    }

    assert {depth: status for depth, status in statuses.items() if status != 400} == {}


@pytest.mark.parametrize(
    "body",
    [b" " * 65_537, b"[" * DEEP + b"]" * DEEP, b'{"name":"' + b"x" * 3_000_000 + b'"}'],
    ids=["one byte too many", "100,000 deep", "3 MB"],
)
@pytest.mark.parametrize(
    ("dialect", "path"),
    [(d, path) for d in DIALECTS for path in ("", "/rotate") if not path or "rotate" in d.can],
)
def test_a_body_that_is_too_large_is_413(
    call: ApiClient, keys: str, manager: Issued, reader: Issued, body: bytes, path: str
) -> None:
    call("GET", keys, key=manager)
    before = stored()

    address = f"{keys}/{reader.key.public_id}{path}" if path else keys
    answer = call("POST", address, body, key=manager)

    assert answer.status == 413
    assert answer.refusal.code in ("request_too_large", None)
    assert answer.refusal.message == "Send at most 65536 bytes."
    assert stored() == before


def test_a_body_of_exactly_the_limit_is_read(
    call: ApiClient, dialect: Dialect, keys: str, good: dict[str, Any], manager: Issued
) -> None:
    body = json.dumps(good).encode().ljust(65_536)

    assert call("POST", keys, body, key=manager).status == dialect.created


@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_another_content_type_is_415(
    call: ApiClient, keys: str, good: dict[str, Any], manager: Issued, content_type: str
) -> None:
    call("GET", keys, key=manager)
    before = stored()

    answer = call("POST", keys, good, key=manager, content_type=content_type)

    assert answer.status == 415
    assert answer.refusal.code in ("unsupported_media_type", None)
    assert answer.refusal.message
    assert stored() == before


@pytest.mark.parametrize("content_type", JSON_TYPES)
def test_json_may_be_spelled_in_its_usual_ways(
    call: ApiClient,
    dialect: Dialect,
    keys: str,
    good: dict[str, Any],
    manager: Issued,
    content_type: str,
) -> None:
    answer = call("POST", keys, good, key=manager, content_type=content_type)

    assert answer.status == dialect.created


@pytest.mark.parametrize("body", [None, {}, b""])
def test_an_empty_body_lacks_what_is_required(
    call: ApiClient, keys: str, manager: Issued, body: Any
) -> None:
    answer = call("POST", keys, body, key=manager)

    assert answer.status == 400
    assert "name" in answer.refusal.fields or answer.refusal.names("name")


def test_nobody_without_a_key_gets_a_body_read(call: ApiClient, keys: str) -> None:
    answer = call("POST", keys, b"[" * 100_000, content_type="text/plain")

    assert answer.status == 401


@pytest.mark.parametrize("content_type", ["sig_live_{}", "text/sig_live_{}", 'a; x="sig_live_{}"'])
def test_a_secret_in_the_content_type_is_not_repeated(
    call: ApiClient, keys: str, good: dict[str, Any], manager: Issued, content_type: str
) -> None:
    secret = manager.secret.removeprefix("sig_live_")

    answer = call("POST", keys, good, key=manager, content_type=content_type.format(secret))

    assert answer.status == 415
    assert secret[4:].encode() not in answer.raw

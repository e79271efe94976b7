"""Bodies that cannot be read: a 400 that names the body, a 413 or a 415, and nothing is stored."""

import json
from typing import Any

import pytest

from apikeys.services import Issued
from tests.client import ApiClient
from tests.support_api import KEYS, Refuses, one, stored

GOOD = {"name": "Good", "scopes": ["search:read"]}
TEXT = json.dumps(GOOD)
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


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_body_that_cannot_be_read_makes_no_key(refuses: Refuses, kind: str) -> None:
    answer = refuses("POST", KEYS, UNREADABLE[kind], "body")

    assert answer.error["code"] == "invalid_json"


@pytest.mark.parametrize("path", ["", "/rotate"])
@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_body_that_cannot_be_read_changes_no_key(
    refuses: Refuses, reader: Issued, kind: str, path: str
) -> None:
    refuses("POST" if path else "PATCH", one(reader) + path, UNREADABLE[kind], "body")


@pytest.mark.parametrize("body", NO_OBJECT)
def test_a_body_that_is_no_object_is_refused(refuses: Refuses, reader: Issued, body: bytes) -> None:
    assert refuses("POST", KEYS, body, "body").error["message"] == "Send a JSON object."
    refuses("PATCH", one(reader), body, "body")
    refuses("POST", f"{one(reader)}/rotate", body, "body")


def test_the_reasons_are_told_apart(refuses: Refuses) -> None:
    messages = [
        refuses("POST", KEYS, UNREADABLE[kind], "body").error["message"]
        for kind in ("not JSON", "name twice", "arrays 30,000 deep")
    ]

    assert messages == [
        "The request body is invalid JSON.",
        "The request body gives a name twice.",
        "The request body is nested too deeply.",
    ]


@pytest.mark.parametrize("field", ["name", "scopes", "metadata", "key_type", "expires_at", "nope"])
def test_no_depth_between_readable_and_too_deep_is_a_crash(
    call: ApiClient, manager: Issued, field: str
) -> None:
    nested = {depth: b"[" * depth + b"]" * depth for depth in range(1, 1_100, 5)}

    statuses = {
        depth: call("POST", KEYS, b'{"%s":%s}' % (field.encode(), value), key=manager).status
        for depth, value in nested.items()
    }

    assert {depth: status for depth, status in statuses.items() if status != 400} == {}


@pytest.mark.parametrize(
    "body",
    [b" " * 65_537, b"[" * DEEP + b"]" * DEEP, b'{"name":"' + b"x" * 3_000_000 + b'"}'],
    ids=["one byte too many", "100,000 deep", "3 MB"],
)
@pytest.mark.parametrize("path", ["", "/rotate"])
def test_a_body_that_is_too_large_is_413(
    call: ApiClient, manager: Issued, reader: Issued, body: bytes, path: str
) -> None:
    call("GET", KEYS, key=manager)
    before = stored()

    answer = call("POST", one(reader) + path if path else KEYS, body, key=manager)

    assert (answer.status, answer.error["type"]) == (413, "request_too_large")
    assert answer.error["message"] == "Send at most 65536 bytes."
    assert stored() == before


def test_a_body_of_exactly_the_limit_is_read(call: ApiClient, manager: Issued) -> None:
    body = TEXT.encode() + b" " * (65_536 - len(TEXT))

    assert call("POST", KEYS, body, key=manager).status == 201


@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_another_content_type_is_415(call: ApiClient, manager: Issued, content_type: str) -> None:
    call("GET", KEYS, key=manager)
    before = stored()

    answer = call("POST", KEYS, GOOD, key=manager, content_type=content_type)

    assert (answer.status, answer.error["type"]) == (415, "unsupported_media_type")
    assert answer.error["message"]
    assert stored() == before


@pytest.mark.parametrize("content_type", JSON_TYPES)
def test_json_may_be_spelled_in_its_usual_ways(
    call: ApiClient, manager: Issued, content_type: str
) -> None:
    assert call("POST", KEYS, GOOD, key=manager, content_type=content_type).status == 201


@pytest.mark.parametrize("body", [None, {}])
def test_an_empty_body_lacks_what_is_required(refuses: Refuses, body: Any) -> None:
    assert refuses("POST", KEYS, {"name": "Good"}, "scopes").error["code"] == "required"


def test_nobody_without_a_key_gets_a_body_read(call: ApiClient, db: None) -> None:
    answer = call("POST", KEYS, b"[" * 100_000, content_type="text/plain")

    assert answer.status == 401


@pytest.mark.parametrize("content_type", ["sig_live_{}", "text/sig_live_{}", 'a; x="sig_live_{}"'])
def test_a_secret_in_the_content_type_is_not_repeated(
    call: ApiClient, manager: Issued, content_type: str
) -> None:
    secret = manager.secret.removeprefix("sig_live_")

    answer = call("POST", KEYS, GOOD, key=manager, content_type=content_type.format(secret))

    assert answer.status == 415
    assert secret[4:].encode() not in answer.raw

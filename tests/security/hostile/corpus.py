"""Malicious inputs, by where they are sent."""

import json
from typing import Any, Final

from tests.security.hostile.texts import TEXTS

#: Values that are no text; JSON has them.
_ODD: Final[list[Any]] = [
    None, True, False, 0, -1, 7, 1.5, 10**400, -(10**18), [], {}, [[]], [None], [{}], {"": ""},
    {"a": {"b": {"c": "d"}}}, ["x"] * 1_000, {f"k{n}": "x" for n in range(1_000)},
]  # fmt: skip
_MOMENTS: Final[list[Any]] = [
    "tomorrow", 1893456000, "1893456000", "2027-01-31", "2027-01-31T12:00:00",
    "2027-01-31 12:00:00Z", "20270131T120000Z", "2027-02-30T12:00:00Z", "2027-13-01T12:00:00Z",
    "2027-01-31T25:00:00Z", "2026-12-31T23:59:60Z", "2027-01-31T12:00:00+24:00",
    "2027-01-31T12:00:00+0530", "2027-W05-7T12:00:00Z", "２０２７-01-31T12:00:00Z",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2020-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00", "2999-01-01T00:00:00Z", "2027-03-28T02:30:00+01:00",
    "2027-01-31T12:00:00.123456789Z", "-2027-01-31T12:00:00Z", "2027-01-31T12:00:00Z" * 500,
]  # fmt: skip
_SCOPES: Final[list[Any]] = [
    ["*"], ["admin"], ["search"], ["search:*"], ["SEARCH:READ"], ["search:read "], [" search:read"],
    ["search:read", "search:read"], ["search:read,events:read"], ["api-keys:manage2"],
    ["search:read\x00"], ["ſearch:read"], [["search:read"]], [{"search:read": True}], "search:read",
]  # fmt: skip
_METADATA: Final[list[Any]] = [
    {"a": None}, {"a": 7}, {"a": ["x"]}, {"a": {"b": "c"}}, {"a": "x" * 501}, {"k" * 41: "x"},
    {f"k{n}": "x" for n in range(51)}, {"a\x00b": "x"}, {"a": "\x00"}, {"\ud800": "x"},
    {"a": "\ud800"}, {"__proto__": "x"}, {"constructor": "x"}, {"a": "\u202e"}, {" ": "x"},
    {"a.b": "x", "a[b]": "y"}, {"fooBar": "x", "foo_bar": "y"}, {"a": 10**4000}, [["a", "b"]],
]  # fmt: skip
_SURROGATES: Final = ["\ud800", "a\udfffb", "\udc00\ud800"]
#: For every field of a body that is JSON.
VALUES: Final[list[Any]] = [*TEXTS, *_SURROGATES, *_ODD, *_MOMENTS, *_SCOPES, *_METADATA]


def _nested(depth: int) -> bytes:
    return b'{"metadata":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


#: Bodies that are no object of the format's fields, with their content types.
BODIES: Final[list[tuple[bytes, str]]] = [
    *(
        (body, "application/json")
        for body in (
            b"", b" ", b"null", b"true", b"7", b'"text"', b"[]", b"[{}]", b"{", b"}", b'{"name"}',
            b"{'name': 'x'}", b'{"name": "x",}', b'{"name": "x"}{"name": "y"}', b"NaN", b"Infinity",
            b'{"name": NaN}', b'{"name": -Infinity}', b'{"name": "x", "name": "y"}', b"\xff\xfe",
            b'\xef\xbb\xbf{"name": "x"}', '{"name": "ключ"}'.encode("utf-16"), b"\x00" * 100,
            '{"name": "x"}'.encode("utf-32"), b'{"name": "\xff"}', b'{"name": "\xed\xa0\x80"}',
            b'{"name": "\\ud800"}', b'{"name": "\\u0000"}', b'{"name": "\n"}', b"[" * 60_000,
            _nested(900), _nested(5_000), b'{"name": "' + b"x" * 70_000 + b'"}',
            b'{"metadata": {"a": ' + b"9" * 5_000 + b"}}", b'{"__proto__": {"name": "x"}}',
            b'{"id": "x"}', b'{"key": "x"}', b'{"revoked_at": null}', b'{"status": "active"}',
            b'{"organization_id": "x"}', b'{"Name": "x"}', b'{"name ": "x"}', b'{"": 1}',
        )
    ),
    *(
        (b'{"name": "x"}', kind)
        for kind in (
            "", "text/plain", "text/html", "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x", "application/json; charset=utf-16",
            "application/json; charset=nonsense", "application/json; charset=latin-1",
            "application/xml", "application/jsonp", "*/*", "application/json\x00", "\xff",
            "a" * 9_999, "text/plain" + ';a="' * 5_000, "application/json" + ";" * 5_000,
        )
    ),
]  # fmt: skip
#: What stands where an id or a part of an address is expected, as it is written there.
PARTS: Final = [
    "0",
    "-1",
    "1e3",
    "%00",
    "%2e%2e",
    "..%2f..%2fetc",
    "%252e%252e",
    "key_",
    "key_%D9%A1",
    "key_zzzzzzzzzzzzzzzzzzzzzz",
    "key_" + "0" * 22,
    "KEY_0351FrTDeDtgZYMcLmPixg",
    "sa_" + "0" * 22,
    "org_" + "0" * 22,
    "00000000-0000-0000-0000-000000000000",
    "{00000000-0000-0000-0000-000000000000}",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "00000000000000000000000000000000",
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "%FF%FE",
    "%F0%9F%94%91",
    "a;b=c",
    "a%3Fb",
    "a%23b",
    "'%20OR%201=1--",
    "%3Cscript%3E",
    "{{7*7}}",
    "$(id)",
    "a" * 4_000,
    "current%00",
    "current.json",
    "%20",
    "%0d%0aSet-Cookie:%20a=b",
    "~",
    "*",
    "null",
    "undefined",
    "_search",
    ".env",
    ".git",
]
#: Queries as they stand in an address.
QUERIES: Final = [
    "limit=0",
    "limit=-1",
    "limit=101",
    "limit=1e2",
    "limit=%D9%A1",
    "limit=",
    "limit=1&limit=2",
    "limit=99999999999999999999",
    "limit=0x10",
    "limit=%00",
    "limit=NaN",
    "cursor=",
    "cursor=x",
    "cursor=%00",
    "cursor=eyJhIjoxfQ",
    "cursor=" + "x" * 4_000,
    "cursor=a.b.c",
    "status=",
    "status=Active",
    "status=%00",
    "status=all",
    "name=%00",
    "name=%ED%A0%80",
    "name=%FF",
    "name=" + "x" * 4_000,
    "name=%E2%80%AE",
    "color=red",
    "%00=1",
    "=1",
    "&&&",
    "limit[]=1",
    "limit.=1",
    "name=a" + "%CC%95%CC%80" * 4_000,
    "name=" + "%E1%84%92" * 6_000,
    "name=" + "sig_live_" * 6_000,
    "from=now",
    "from=2027-01-31",
    "from=0001-01-01T00:00:00Z",
    "to=%00",
    "from=9999-12-31T23:59:59Z",
    "interval=minute",
    "interval=",
    "interval=%00",
    "interval=HOUR",
    "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    "pageIndex=-1",
    "pageIndex=1e9",
    "pageIndex=999999999999999999999",
    "pageSize=0",
    "pageSize=101",
    "pageSize=%00",
    "format=xml",
    "format=api",
    "page=2",
    "offset=-1",
    "order=-digest",
    "fields=key",
    "include=secrets",
    "%",
    "%zz=1",
    "a" * 4_000,
    "x=1&" * 999,
]
#: Headers beside a good key.
HEADERS: Final = [
    ("Accept", "text/html"),
    ("Accept", "application/xml;q=1"),
    ("Accept", "\x00"),
    ("Accept", "a" * 9_999),
    ("Accept-Language", "xx-XX-" * 500),
    ("Accept-Encoding", "gzip;q=nonsense"),
    ("Cookie", "sessionid=x"),
    ("Cookie", "a=" + "b" * 9_999),
    ("Cookie", "csrftoken=\x00"),
    ("Cookie", 'theme="' + "\\134" * 5_000 + '"'),
    ("Accept", "text/html" + ';a="' * 5_000),
    ("X-Forwarded-For", "'; DROP TABLE"),
    ("X-Forwarded-For", "1.2.3.4, " * 500),
    ("X-Forwarded-For", "127.0.0.1," * 5_000),
    ("X-Forwarded-Proto", "https," * 5_000),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "x"),
    ("X-Request-Id", "\x00"),
    ("X-Request-Id", "req_" + "x" * 9_999),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Workspace-ID", ""),
    ("X-Workspace-ID", "\x00"),
    ("X-Workspace-ID", "x" * 9_999),
    ("X-Workspace-ID", "00000000-0000-0000-0000-000000000000"),
    ("Content-Encoding", "gzip"),
    ("Content-Length", "-1"),
    ("Content-Length", "nonsense"),
    ("Transfer-Encoding", "nonsense"),
    ("Expect", "200-ok"),
    ("If-Match", "*"),
    ("Range", "bytes=0-"),
    ("Origin", "null"),
    ("Origin", "https://evil.example"),
    ("Referer", "\xff"),
    ("User-Agent", "\x00"),
    ("User-Agent", "\ud7ff\uf8ff"),
    ("User-Agent", "x" * 9_999),
    ("User-Agent", "=cmd()"),
    ("Idempotency-Key", ""),
    ("Idempotency-Key", "\x00"),
    ("Idempotency-Key", "x" * 9_999),
    ("Idempotency-Key", "a b"),
    ("Forwarded", 'for="[::1]"'),
    ("Host", "evil.example"),
    ("Host", "\x00"),
    ("Host", "a" * 9_999),
    ("Host", "localhost:99999"),
    ("Upgrade", "h2c"),
    ("Sec-Fetch-Site", "cross-site"),
]
#: In place of “Bearer” and the key.
CREDENTIALS: Final = [
    "",
    " ",
    "Bearer",
    "Bearer ",
    "bearer x",
    "Bearer x y",
    "Bearer\tx",
    "Basic dXNlcjpwYXNz",
    "Token x",
    "Bearer \x00",
    "Bearer \xff\xfe",
    "Bearer " + "x" * 9_999,
    "Bearer sig_live_",
    "Bearer null",
    "Bearer sig_live_" + "0" * 40,
    "Bearer sig_live_" + "0" * 41,
    "Bearer SIG_LIVE_" + "0" * 40,
    "Bearer sig_test_" + "Z" * 40,
    "Bearer sk_live_" + "0" * 40,
    "Bearer sig_live_" + "\u0660" * 40,
    "Bearer ' OR 1=1 --",
    "Bearer {{7*7}}",
    "Bearer,Bearer",
    "Digest username=x",
    "Negotiate x",
    "x",
]
#: Whole requests as bytes, for a server's own parser; `KEY` stands for a good key.
REQUESTS: Final = [
    b"",
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /v1/api-keys\r\n\r\n",
    b"GET /v1/api-keys HTTP/9.9\r\n\r\n",
    b"GET /v1/api-keys HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    *(
        line + b"\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer KEY\r\n\r\n"
        for line in (
            b"BREW /v1/api-keys HTTP/1.1",
            b"TRACE /v1/api-keys HTTP/1.1",
            b"CONNECT localhost:80 HTTP/1.1",
            b"GET http://evil.example/v1/api-keys HTTP/1.1",
            b"GET //v1/api-keys HTTP/1.1",
            b"GET /v1//api-keys HTTP/1.1",
            b"GET /v1/../v1/api-keys HTTP/1.1",
            b"GET /V1/API-KEYS HTTP/1.1",
            b"GET /v1/api-keys\x00 HTTP/1.1",
            b"GET /v1/api-keys/\xff\xfe HTTP/1.1",
            b"GET /" + b"a" * 60_000 + b" HTTP/1.1",
            b"GET /v1/api-keys?" + b"a" * 60_000 + b" HTTP/1.1",
        )
    ),
    *(
        b"POST /v1/api-keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nAuthorization: Bearer KEY\r\n" + rest
        for rest in (
            b"Content-Length: -1\r\n\r\n{}",
            b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}",
            b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
            b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
            b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
            b"Content-Length: 2\r\nX-\xff: y\r\n\r\n{}",
            b"Content-Length: 2\r\n" + b"X-A: b\r\n" * 5_000 + b"\r\n{}",
            b"Content-Length: 2\r\nX-A: " + b"b" * 200_000 + b"\r\n\r\n{}",
        )
    ),
]
#: How many different payloads there are; a value counts as it looks in JSON.
COUNT: Final = len({json.dumps(value) for value in VALUES}) + sum(
    len(set(place)) for place in (BODIES, PARTS, QUERIES, HEADERS, CREDENTIALS, REQUESTS)
)

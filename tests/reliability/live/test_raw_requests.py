"""Requests that no client library would send, through the real server's parser."""

import socket

import pytest

from apikeys.services import Issued
from tests.reliability.live.conftest import Server


def exchange(server: Server, request: bytes) -> tuple[int, bytes]:
    """The status and the whole answer to raw bytes."""
    host, port = server.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as wire:
        wire.sendall(request)
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    return int(answer.split(b" ", 2)[1]), answer


def get(*authorization: bytes) -> bytes:
    headers = b"".join(b"Authorization: " + value + b"\r\n" for value in authorization)
    return (
        b"GET /v1/api-keys/current HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        + headers
        + b"\r\n"
    )


def post(body: bytes, key: Issued, *headers: bytes) -> bytes:
    lines = [
        b"POST /v1/api-keys HTTP/1.1",
        b"Host: localhost",
        b"Connection: close",
        b"Content-Type: application/json",
        b"Authorization: Bearer " + key.secret.encode(),
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "authorization",
    [
        (b"",),
        (b"Bearer",),
        (b"Bearer \xff\xfe\xfd",),
        (b"Bearer " + b"x" * 100_000,),
        (b"Bearer one two",),
        (b"Basic dXNlcjpwYXNz",),
        (b"Bearer one", b"Bearer two"),
        (b"Bearer\tone",),
        ("Bearer sig_live_ключ".encode(),),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_strange_authorization_is_refused(
    server: Server, authorization: tuple[bytes, ...]
) -> None:
    status, answer = exchange(server, get(*authorization))

    assert status in (400, 401)
    assert status == 400 or b"www-authenticate: bearer" in answer.lower()


def test_a_genuine_key_beside_another_header_is_refused(server: Server, manager: Issued) -> None:
    key = b"Bearer " + manager.secret.encode()

    first, _ = exchange(server, get(key, b"Bearer other"))
    second, _ = exchange(server, get(b"Bearer other", key))

    assert {first, second} <= {400, 401}


def test_a_body_that_is_too_large_is_refused(server: Server, manager: Issued) -> None:
    body = b'{"name": "' + b"x" * 3_000_000 + b'"}'

    status, answer = exchange(server, post(body, manager, b"Content-Length: %d" % len(body)))

    assert status == 413
    assert b"request_too_large" in answer


def test_a_chunked_body_works_like_any_other(server: Server, manager: Issued) -> None:
    body = b'{"name": "Chunked", "scopes": ["search:read"]}'
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)

    status, answer = exchange(server, post(chunked, manager, b"Transfer-Encoding: chunked"))

    assert status == 201, answer


def test_a_chunked_body_that_is_too_large_is_refused(server: Server, manager: Issued) -> None:
    body = b'{"name": "' + b"x" * 3_000_000 + b'"}'
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)

    status, _ = exchange(server, post(chunked, manager, b"Transfer-Encoding: chunked"))

    assert status == 413


def test_a_body_nested_without_end_is_refused(server: Server, manager: Issued) -> None:
    body = b"[" * 60_000

    status, answer = exchange(server, post(body, manager, b"Content-Length: %d" % len(body)))

    assert status == 400
    assert b"nested too deeply" in answer


def test_a_chunked_body_that_breaks_off_is_not_taken_for_none(
    server: Server, manager: Issued
) -> None:
    request = post(b"zz\r\n", manager, b"Transfer-Encoding: chunked")
    path = f"/v1/api-keys/{manager.key.public_id}/rotate".encode()

    status, _ = exchange(server, request.replace(b"/v1/api-keys", path, 1))

    assert status == 400
    assert manager.key.secrets.count() == 1


def to_page(*headers: bytes) -> bytes:
    lines = [
        b"POST /accounts/login/ HTTP/1.1",
        b"Host: localhost",
        b"Connection: close",
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


@pytest.mark.parametrize("size", [300_000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_page_that_is_sent_too_much_says_so(server: Server, size: int, chunked: bool) -> None:
    kind, body = b"Content-Type: application/x-www-form-urlencoded", b"login=" + b"x" * size
    if chunked:
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        request = to_page(kind, b"Transfer-Encoding: chunked") + body
    else:
        request = to_page(kind, b"Content-Length: %d" % len(body)) + body

    status, answer = exchange(server, request)

    assert status == 413
    assert b"Pages accept at most 256 KB." in answer


def test_a_media_type_longer_than_any_counts_as_none(server: Server, manager: Issued) -> None:
    kind = b"Content-Type: application/json" + b";" * 100_000
    request = post(b"{}", manager, b"Content-Length: 2").replace(
        b"Content-Type: application/json", kind
    )

    status, answer = exchange(server, request)

    assert status == 415
    assert b"unsupported_media_type" in answer

"""The Test page without scripts sends one fixed request, regardless of the input."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from apikeys.pages.key_test import json_text
from apikeys.pages.key_test.client import LARGEST
from apikeys.pages.key_test.sentences import sentence
from organizations.models import Organization
from tests.pages.support import developer, html
from tests.support.domain import SECRET

Upstream = Callable[..., list[bytes]]
DRIPS = 60
#: What the other side of the last call got rid of.
sent: list[bytes] = []


@pytest.fixture
def upstream(settings: Settings) -> Iterator[Upstream]:
    """A server that answers every connection with given bytes, slowly if wished."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def start(*answer: bytes, pause: float = 0.0) -> list[bytes]:
        seen: list[bytes] = []
        sent.clear()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    seen.append(connection.recv(65536))
                    sent.extend(_send(connection, answer, pause, stop))

        threading.Thread(target=serve, daemon=True).start()
        settings.API_BASE_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return seen

    yield start
    stop.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _send(
    connection: socket.socket, answer: tuple[bytes, ...], pause: float, stop: threading.Event
) -> Iterator[bytes]:
    """Sends the parts and names those that the other side has taken."""
    for part in answer:
        try:
            connection.sendall(part)
        except OSError:
            return
        yield part
        if stop.wait(pause):
            return


def _post(browser: Client, acme: Organization, key: str = SECRET, **fields: str) -> Any:
    return browser.post(developer(acme, "test/"), {"key": key, **fields})


def _verdict(answer: Any) -> str:
    verdict: str = answer.context["result"]["verdict"]
    return verdict


@pytest.mark.parametrize(
    ("pasted", "problem"),
    [
        ("", sentence("empty")),
        ("   ", sentence("empty")),
        ("hello", "That doesn't look like one of our keys. Keys start with sig_."),
        ("x" * 2000, "That doesn't look like one of our keys. Keys start with sig_."),
        *(
            (
                f"sig_live_a1b2{nasty}",
                "That doesn't look like one of our keys. Keys start with sig_.",
            )
            for nasty in ("'; id; '", '"', "`id`", "$(id)", "\n-H evil: 1", "\\")
        ),
        (SECRET[:-1] + ("a" if SECRET[-1] != "a" else "b"), sentence("typo")),
        (SECRET[:-3], "This key is incomplete: it has 46 of 49 characters. Copy it again."),
        (SECRET + "ab", "This key is too long: it has 51 characters, not 49. Copy it again."),
        *(
            (f"{other}_live_{'a' * 40}", "That doesn't look like one of our keys.")
            for other in ("sk", "pk", "rk")
        ),
    ],
)
def test_what_cannot_be_a_key_is_not_sent(
    browser: Client, acme: Organization, upstream: Upstream, pasted: str, problem: str
) -> None:
    seen = upstream(b"HTTP/1.1 200 OK\r\n\r\n")

    answer = _post(browser, acme, pasted)

    assert answer.status_code == 422
    assert problem in html(answer).replace("&#x27;", "'")
    assert not seen


def test_nothing_that_is_posted_changes_the_call(
    browser: Client, acme: Organization, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    seen = upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    tricks = dict.fromkeys(
        ("host", "url", "base", "base_url", "path", "account_id", "port"), "http://evil.example/x"
    )

    answer = _post(browser, acme, f"  Bearer {SECRET} ", **tricks)

    line = seen[0].split(b"\r\n")[0].decode()
    path = f"/v1/accounts/{acme.public_id}/templates?pageIndex=0&pageSize=5"
    assert line == f"GET {path} HTTP/1.1"
    assert f"Bearer {SECRET}".encode() in seen[0]
    assert b"Cookie" not in seen[0]
    assert _verdict(answer) == "The key works."
    assert SECRET not in html(answer)
    assert SECRET not in caplog.text


def test_no_header_changes_the_call(
    browser: Client, acme: Organization, upstream: Upstream, settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["evil.example"]
    seen = upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    names = ("Host", "X-Forwarded-Host", "X-Forwarded-For", "Forwarded", "Origin", "Referer")
    headers = dict.fromkeys(names, "evil.example")

    answer = browser.post(developer(acme, "test/"), {"key": SECRET}, headers=headers)

    assert _verdict(answer) == "The key works."
    assert len(seen) == 1
    assert b"evil.example" not in seen[0]


def test_no_redirect_is_followed(browser: Client, acme: Organization, upstream: Upstream) -> None:
    seen = upstream(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    answer = _post(browser, acme)

    assert answer.context["result"]["probe"].status == 302
    assert len(seen) == 1


def test_proxies_of_the_environment_are_not_asked(
    browser: Client, acme: Organization, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    assert _verdict(_post(browser, acme)) == "The key works."


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_slow_answer_is_given_up(
    browser: Client, acme: Organization, upstream: Upstream, head: bytes
) -> None:
    """The other side would go on for half a minute; no thread of ours is left listening to it."""
    before = set(threading.enumerate())
    upstream(head, *([b"x"] * DRIPS), pause=0.5)
    listening = set(threading.enumerate()) - before

    answer = _post(browser, acme)

    assert _verdict(answer) == "No response within 5 s."
    left = set(threading.enumerate()) - before - listening
    for thread in left:
        thread.join(timeout=DRIPS * 0.5)
    assert not any(thread.is_alive() for thread in left)
    assert 0 < len(sent) < DRIPS


def test_a_huge_answer_is_cut(browser: Client, acme: Organization, upstream: Upstream) -> None:
    upstream(b"HTTP/1.1 200 OK\r\n\r\n", *([b"y" * 65536] * 40))

    result = _post(browser, acme).context["result"]

    assert result["probe"].truncated
    assert len(result["probe"].body) == LARGEST
    assert len(result["shown"]) == 800


def test_nothing_is_unpacked(browser: Client, acme: Organization, upstream: Upstream) -> None:
    upstream(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8bzz")

    assert "zz" in _post(browser, acme).context["result"]["probe"].body


def test_markup_in_an_answer_is_text(
    browser: Client, acme: Organization, upstream: Upstream
) -> None:
    upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n<script>alert(1)</script>")

    assert "<script>alert" not in html(_post(browser, acme))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"429 X\r\nRetry-After: 12", "Rate limit reached. Retry after 12 s."),
        (b"500 X\r\nX-Request-Id: req_1", "The API failed (request ID req_1)."),
        (b"404 X", "The key works, but not for this account."),
        (b"401 X", "Rejected: the key is unknown, expired, disabled or deleted."),
        (b"403 X", "The key works but lacks permission for this request."),
        (b"204 X", "The API sent an unexpected response."),
    ],
)
def test_words_for_each_status(
    browser: Client, acme: Organization, upstream: Upstream, answer: bytes, words: str
) -> None:
    upstream(b"HTTP/1.1 " + answer + b"\r\nConnection: close\r\n\r\n")

    assert _verdict(_post(browser, acme)) == words


def test_nobody_listens(browser: Client, acme: Organization, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        settings.API_BASE_URL = f"http://127.0.0.1:{closed.getsockname()[1]}"

    assert _verdict(_post(browser, acme)) == "The request didn't reach the API."


def test_without_a_configured_address_nothing_is_called(
    browser: Client, acme: Organization, settings: Settings
) -> None:
    settings.API_BASE_URL = ""

    answer = _post(browser, acme)

    assert answer.status_code == 422
    assert "API_BASE_URL" in html(answer)


def test_ten_a_minute(browser: Client, acme: Organization, upstream: Upstream) -> None:
    upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    statuses = [_post(browser, acme).status_code for _ in range(12)]

    assert statuses[:10] == [200] * 10
    assert 429 in statuses[10:]


def test_an_answer_is_cut_between_characters(
    browser: Client, acme: Organization, upstream: Upstream
) -> None:
    family = "👨‍👩‍👧‍👦"
    upstream(b"HTTP/1.1 200 OK\r\n\r\n\xef\xbb\xbf" + ("x" * 799 + family * 500).encode())

    answer = _post(browser, acme)

    assert answer.context["result"]["shown"] == "x" * 799 + family
    assert "Showing 800 of 1,299 characters · not JSON" in html(answer)


def test_json_is_laid_out_and_complete_where_it_is_short(
    browser: Client, acme: Organization, upstream: Upstream
) -> None:
    body = b'{"items":[],"pageSize":5.0,"name":"a: {b}"}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: req_7\r\n"
    upstream(head + b"Set-Cookie: a=b\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    answer = _post(browser, acme)

    result = answer.context["result"]
    assert result["shown"] == '{\n  "items": [],\n  "pageSize": 5.0,\n  "name": "a: {b}"\n}'
    assert result["extent"] == f"Response · {len(result['shown'])} characters"
    assert result["rest"] == ""
    assert result["headers"] == "content-type: application/json\nx-request-id: req_7"
    assert "req_7" in html(answer)


def test_all_of_a_long_response_is_there_without_script(
    browser: Client, acme: Organization, upstream: Upstream
) -> None:
    body = ("[" + ",".join(["1000"] * 300) + "]").encode()
    upstream(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    answer = _post(browser, acme)

    result = answer.context["result"]
    assert len(result["shown"]) == 800
    assert json.loads(result["rest"]) == [1000] * 300
    assert "<summary>" in html(answer).partition("Response headers")[0]
    assert "Show all</summary>" in html(answer)


@pytest.mark.parametrize("text", ["no", "[NaN]", "{", "[" * 5000, "[" * 102 + "]" * 102])
def test_what_is_not_readable_json_is_shown_as_it_is(text: str) -> None:
    assert json_text.laid_out(text) == text


@pytest.mark.parametrize(
    "value", [{}, [], 0, "x", None, [[[]], {"a": {}}], {"a": [1, -2.5, True], 'ü"{': "[,:]"}]
)
def test_values_are_kept(value: Any) -> None:
    written = json_text.laid_out(json.dumps(value))

    assert written == json.dumps(value, indent=2)

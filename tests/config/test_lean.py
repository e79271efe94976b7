"""Fast paths still check hosts, set headers and send complete responses."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from config.wsgi_body import measured
from core import response_headers


def _status(host: str) -> int:
    return Client().get("/v1/openapi.json", headers={"Host": host}).status_code


def test_a_host_that_was_known_is_refused_when_it_no_longer_is(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["api.example.com"]
    before = [_status("api.example.com"), _status("api.example.com"), _status("other.example.com")]
    settings.ALLOWED_HOSTS = ["other.example.com"]
    after = [_status("api.example.com"), _status("other.example.com")]

    assert before == [200, 200, 400]
    assert after == [400, 200]


def test_hosts_are_not_remembered_without_end(settings: Settings) -> None:
    from config.middleware import api_bypass

    settings.ALLOWED_HOSTS = [".example.com"]
    for number in range(1_100):
        api_bypass._refuse_unknown_host(
            RequestFactory().get("/", headers={"host": f"{number}.example.com"})
        )

    assert 0 < len(api_bypass._known) <= 1_000


def test_prepared_headers_are_sent_like_others() -> None:
    response = HttpResponse(headers={"cache-control": "public"})
    response_headers.set_headers(response, response_headers.prepared({"Cache-Control": "no-store"}))
    response_headers.set_header(response, "X-Request-Id", "req_1")

    assert response["cache-control"] == "no-store"
    assert dict(response.items()) == {
        "Cache-Control": "no-store",
        "Content-Type": "text/html; charset=utf-8",
        "X-Request-Id": "req_1",
    }


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "\0", "é"])
def test_what_no_header_may_contain_is_not_prepared(value: str) -> None:
    with pytest.raises(ValueError, match="cannot be in a header"):
        response_headers.prepared({"X-Name": value})


class _Watch:
    """How often Django was told that a request is over."""

    def __init__(self) -> None:
        self.ended = 0

    def __call__(self, **_: Any) -> None:
        self.ended += 1


def _ask(response: HttpResponse | StreamingHttpResponse) -> tuple[Iterable[bytes], _Watch]:
    response._handler_class = WSGIHandler  # type: ignore[union-attr]
    watch = _Watch()
    request_finished.connect(watch)
    try:
        return measured(lambda environ, start: response, limit=10)({}, None), watch
    finally:
        request_finished.disconnect(watch)


@pytest.mark.django_db
def test_a_whole_answer_is_given_to_the_server_whole_and_ended_once() -> None:
    given, watch = _ask(HttpResponse(b"whole"))

    assert given == [b"whole"]
    assert watch.ended == 1


@pytest.mark.django_db
def test_a_stream_stays_one_and_ends_when_it_is_closed() -> None:
    response = StreamingHttpResponse(iter([b"part", b"part"]))
    given, watch = _ask(response)

    assert given is response
    assert watch.ended == 0
    assert list(given) == [b"part", b"part"]

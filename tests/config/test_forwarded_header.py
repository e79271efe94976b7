"""The Forwarded header (RFC 7239) is used, and other headers are then ignored."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import RequestFactory

from config.wsgi_forwarded import reading_forwarded
from core.request_context import client_ip, is_https

PROXIES = (ip_network("10.0.0.0/8"),)


def read(**headers: str) -> tuple[str | None, bool]:
    """The client's address and whether it came by HTTPS, behind the proxy 10.0.0.1."""
    seen: dict[str, Any] = {}

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.update(environ)
        return []

    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.1")
    reading_forwarded(application)(request.META, None)
    return client_ip(seen, PROXIES), is_https(seen, PROXIES)


@pytest.mark.parametrize(
    ("header", "address", "https"),
    [
        ("for=203.0.113.7", "203.0.113.7", False),
        ("for=203.0.113.7;proto=https", "203.0.113.7", True),
        ("PROTO=HTTPS; By=10.0.0.1 ;For=203.0.113.7:52341", "203.0.113.7", True),
        ('for="[2001:db8::1]:443";proto="https"', "2001:db8::1", True),
        ("for=2001:db8::1", "2001:db8::1", False),
        ("for=203.0.113.7;proto=https, for=10.0.0.2;proto=http", "203.0.113.7", True),
        ("for=203.0.113.7, for=10.0.0.2;proto=https", "203.0.113.7", False),
        ("for=203.0.113.7;proto=http, proto=https", None, True),
        ("for=9.9.9.9;proto=https, for=203.0.113.7;proto=http", "203.0.113.7", False),
        ('for="9.9.9.9, for=203.0.113.7', "203.0.113.7", False),
        ('for="9.9.9.9\\", for=203.0.113.7', "203.0.113.7", False),
        ("for=9.9.9.9;, ,for=203.0.113.7,", "203.0.113.7", False),
        ("for=203.0.113.7;for=9.9.9.9", None, False),
        ("for=unknown", None, False),
        ("for=_hidden;proto=https", None, True),
        ("proto=https", None, True),
        (" , ", "10.0.0.1", False),
    ],
)
def test_forwarded_names_the_client(header: str, address: str | None, https: bool) -> None:
    assert read(Forwarded=header) == (address, https)


def test_the_other_headers_no_longer_count() -> None:
    others = {"X-Forwarded-For": "9.9.9.9", "X-Forwarded-Proto": "https"}

    assert read(**others) == ("10.0.0.1", False)
    assert read(**others, Forwarded="for=203.0.113.7") == ("203.0.113.7", False)


def test_a_long_header_costs_as_much_as_twenty_elements() -> None:
    assert read(Forwarded="for=9.9.9.9," * 50_000 + "for=203.0.113.7") == ("203.0.113.7", False)

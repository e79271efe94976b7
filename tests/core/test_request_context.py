"""The client's IP address and the request ID."""

from ipaddress import ip_network

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from apikeys import tokens
from core.request_context import client_ip, is_trusted, read_request_context, request_context_of

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.1", None, "198.51.100.1"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", " 203.0.113.9 ", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.3, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ", "10.0.0.1"),
        ("10.0.0.1", "unknown", None),
        ("10.0.0.1", "1.1.1.1, unknown", None),
        ("10.0.0.1", "1.1.1.1, unknown, 10.0.0.2", None),
        ("10.0.0.1", "1.1.1.1, ", "1.1.1.1"),
        ("10.0.0.1", "1.1.1.1,, 203.0.113.9,,", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.7:52341", "203.0.113.7"),
        ("10.0.0.1", "1.1.1.1:1, 203.0.113.7:52341, 10.0.0.2:80", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::1]:443", "2001:db8::1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", "[fe80::1%eth0]:443", "fe80::1"),
        ("10.0.0.1", "[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7:", None),
        ("10.0.0.1", "203.0.113.7:port", None),
        ("10.0.0.1", "[2001:db8::1", None),
        ("10.0.0.1", "[]:443", None),
        ("10.0.0.1", "<script>", None),
        ("10.0.0.1", "١.١.١.١", None),
        ("10.0.0.1", "999.1.1.1", None),
        ("10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "1.1.1.1", "fe80::1"),
        ("fd00::1%eth0", "fe80::2%eth1", "fe80::2"),
        ("::ffff:198.51.100.1", "1.1.1.1", "198.51.100.1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, ::ffff:10.0.0.2", "1.1.1.1"),
        ("", None, None),
        ("unix:", "1.1.1.1", None),
    ],
)
def test_the_client_is_the_nearest_address_that_is_no_trusted_proxys(
    peer: str, forwarded: str | None, expected: str | None
) -> None:
    meta = {"REMOTE_ADDR": peer}
    if forwarded is not None:
        meta["HTTP_X_FORWARDED_FOR"] = forwarded

    assert client_ip(meta, PROXIES) == expected


@given(st.text(max_size=60))
def test_nobody_but_a_proxy_chooses_the_address_that_is_kept(forwarded: str) -> None:
    meta = {"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": forwarded}

    assert client_ip(meta, PROXIES) == "198.51.100.1"


@given(st.text(max_size=60))
def test_what_a_client_puts_in_front_never_replaces_what_the_proxy_adds(forged: str) -> None:
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": f"{forged}, 203.0.113.9"}

    assert client_ip(meta, PROXIES) == "203.0.113.9"


def test_without_trusted_proxies_no_header_counts() -> None:
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}

    assert client_ip(meta, []) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::1", True),
        ("11.0.0.1", False),
        ("::ffff:11.0.0.1", False),
        ("::1", False),
    ],
)
def test_proxies_are_known_by_their_networks(address: str, expected: bool) -> None:
    assert is_trusted(address, PROXIES) is expected


def test_every_request_has_an_id_of_its_own_that_fits_its_column() -> None:
    first, second = (read_request_context({"REMOTE_ADDR": "198.51.100.1"}, []) for _ in range(2))

    assert first.request_id.startswith("req_")
    assert first.request_id != second.request_id
    assert len(first.request_id) <= 40


def test_the_callers_request_id_is_not_taken_over() -> None:
    meta = {"REMOTE_ADDR": "198.51.100.1", "HTTP_X_REQUEST_ID": "mine"}

    assert "mine" not in read_request_context(meta, []).request_id


def test_a_user_agent_is_one_line_without_control_characters_and_short() -> None:
    agent = "curl/8\r\nX: y\x00\x1b[31m\u2028\ud800" + "n" * 1000

    kept = read_request_context({"HTTP_USER_AGENT": agent}, []).user_agent

    assert kept.startswith("curl/8X: y[31mn")
    assert len(kept) == 500
    assert kept.isprintable()


def test_a_user_agent_with_a_key_in_it_is_cut() -> None:
    secret = tokens.generate("sig", tokens.Environment.LIVE)

    kept = read_request_context({"HTTP_USER_AGENT": f"tool (key%3D{secret})"}, []).user_agent

    assert secret[-36:] not in kept
    assert "[redacted]" in kept


def test_a_request_without_a_user_agent_has_an_empty_one() -> None:
    assert read_request_context({}, []).user_agent == ""


def test_a_request_carries_its_origin() -> None:
    request = RequestFactory().get("/")
    origin = read_request_context(request.META, [])

    request.origin = origin  # type: ignore[attr-defined]

    assert request_context_of(request) is origin

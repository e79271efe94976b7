"""Where a request came from: request ID, client IP address and user agent."""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, Self

import structlog

from core import ids
from core.actors import RequestContext
from core.redaction import redact

Networks = Sequence[IPv4Network | IPv6Network]
_USER_AGENT_LENGTH: Final = 500
#: Characters read before redaction, more than are kept: a secret at the cut is still found.
_LONGEST_READ: Final = 2_000
#: Entries read of a forwarded header, nearest first, and characters read of each.
_MOST_HOPS: Final = 20
_LONGEST_ADDRESS: Final = 100
#: Some load balancers add the client's port: ``192.0.2.1:52341``, ``[2001:db8::1]:443``.
_WITH_PORT: Final = re.compile(r"\[([^\[\]]+)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")
_log = structlog.get_logger(__name__)
_current: "ContextVar[CurrentRequest | None]" = ContextVar("request", default=None)


def read_request_context(meta: dict[str, Any], trusted_proxies: Networks) -> RequestContext:
    """The context of a WSGI request. Forwarded headers count only from trusted proxies."""
    return RequestContext(
        request_id=ids.new_public_id("req"),
        ip=client_ip(meta, trusted_proxies),
        user_agent=_clean_agent(meta.get("HTTP_USER_AGENT", "")[:_LONGEST_READ]),
    )


@lru_cache(maxsize=1024)  # most requests come from a few clients
def _clean_agent(text: str) -> str:
    agent = "".join(c for c in text if c.isprintable())
    return redact(agent)[:_USER_AGENT_LENGTH]


class CurrentRequest:
    """Marks what happens within as part of `request`, whose RequestContext has been read.

    `key_use` is what the view knows of the request's API key (apikeys.usage.key_request), for log
    lines and for the response: after a crash that is Django's, and the view is gone.

    A class, since every request enters it: a generator takes three times as long.
    """

    __slots__ = ("_token", "key_use", "request")

    def __init__(self, request: Any) -> None:
        self.request = request
        self.key_use: Any = None

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def current_request() -> CurrentRequest | None:
    """The request that is being answered; None outside one."""
    return _current.get()


def set_key_use(key_use: object) -> None:
    """Says whose key the current request has sent."""
    current = _current.get()
    if current:
        current.key_use = key_use


def client_ip(meta: dict[str, Any], trusted_proxies: Networks) -> str | None:
    """The right-most X-Forwarded-For address that isn't a trusted proxy's; None if invalid.

    With the proxy's own address instead of None, one client could use up the limits of all others
    behind that proxy.
    """
    return _walk(meta, trusted_proxies)[0]


def is_https(meta: dict[str, Any], trusted_proxies: Networks) -> bool:
    """Whether a trusted proxy says that the client used HTTPS.

    If several proxies each append a scheme, the one from the proxy nearest to the client counts.
    """
    schemes = [scheme.lower() for scheme in _entries(meta.get("HTTP_X_FORWARDED_PROTO", ""))]
    if not schemes or not is_trusted(meta.get("REMOTE_ADDR") or "", trusted_proxies):
        return False
    place = max(_walk(meta, trusted_proxies)[1], 1) if len(schemes) > 1 else 1
    if place > len(schemes):  # not every proxy has appended one
        return all(scheme == "https" for scheme in schemes)
    return schemes[-place] == "https"


def _walk(meta: dict[str, Any], trusted_proxies: Networks) -> tuple[str | None, int]:
    """The client's IP address, and the number of forwarded entries read to find it."""
    nearest, hops = _clean_ip(meta.get("REMOTE_ADDR", "")), 0
    forwarded = _entries(meta.get("HTTP_X_FORWARDED_FOR", ""))
    while nearest and forwarded and is_trusted(nearest, trusted_proxies):
        proxy, nearest = nearest, _read_entry(forwarded.pop())
        hops += 1
        if nearest is None:
            _warn_unreadable(proxy)
    return nearest, hops


def _entries(header: str) -> list[str]:
    """The entries of a list, nearest last. Empty ones don't count (RFC 9110, section 5.6.1.2)."""
    nearest = header.rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
    return [entry for entry in map(str.strip, nearest) if entry]


def _read_entry(entry: str) -> str | None:
    """The IP address of a forwarded entry, without its port."""
    entry = entry[:_LONGEST_ADDRESS]
    with_port = _WITH_PORT.fullmatch(entry)
    return _clean_ip(with_port[1] or with_port[2] if with_port else entry)


@lru_cache(maxsize=64)  # one line per proxy, not per request
def _warn_unreadable(proxy: str) -> None:
    # Doesn't log the forwarded value, which can be anything.
    _log.warning("forwarded_address_unreadable", proxy=proxy)


def is_trusted(address: str, trusted_proxies: Networks) -> bool:
    """Whether `address` is the IP address of a trusted proxy. False if it isn't an IP address."""
    cleaned = _clean_ip(address) if trusted_proxies else None
    return cleaned is not None and any(ip_address(cleaned) in net for net in trusted_proxies)


@lru_cache(maxsize=4096)
def _clean_ip(text: str) -> str | None:
    try:
        return str(_read_ip(text.strip().partition("%")[0]))
    except ValueError:
        return None


def _read_ip(text: str) -> IPv4Address | IPv6Address:
    # Dual-stack sockets show IPv4 peers as ``::ffff:192.0.2.1``.
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def request_context_of(request: Any) -> RequestContext:
    """The context that the middleware read for `request`."""
    origin: RequestContext = request.origin
    return origin

"""Where a request came from: its id, the client's address and its user agent."""

from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from organizations import ids
from organizations.actors import Origin
from organizations.redaction import redact

Networks = Sequence[IPv4Network | IPv6Network]
_USER_AGENT_LENGTH: Final = 500
#: Characters that are looked at; a secret near the cut is cut to its prefix all the same.
_LONGEST_READ: Final = 2_000
_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def read_origin(meta: dict[str, Any], trusted_proxies: Networks) -> Origin:
    """The origin of a WSGI request; forwarded addresses count only from trusted proxies."""
    return Origin(
        request_id=ids.new_public_id("req"),
        ip=client_ip(meta, trusted_proxies),
        user_agent=_clean_agent(meta.get("HTTP_USER_AGENT", "")[:_LONGEST_READ]),
    )


@lru_cache(maxsize=1024)  # the same few programs call again and again
def _clean_agent(text: str) -> str:
    agent = "".join(c for c in text if c.isprintable())
    return redact(agent)[:_USER_AGENT_LENGTH]


class Entered:
    """Marks what happens within as a part of the request that came from `origin`.

    A class, as every request passes it: a generator takes three times as long.
    """

    __slots__ = ("_origin", "_token")

    def __init__(self, origin: Origin) -> None:
        self._origin = origin

    def __enter__(self) -> None:
        self._token = _current.set(self._origin)

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def current_origin() -> Origin | None:
    """The origin of the request that is being answered, if one is."""
    return _current.get()


def client_ip(meta: dict[str, Any], trusted_proxies: Networks) -> str | None:
    """The nearest address that is no trusted proxy's, or None where there is none to believe."""
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
    nearest = _clean_ip(meta.get("REMOTE_ADDR", ""))
    while nearest and is_trusted(nearest, trusted_proxies) and forwarded:
        before = _clean_ip(forwarded.pop())
        if before is None:
            break
        nearest = before
    return nearest


def is_trusted(address: str, trusted_proxies: Networks) -> bool:
    """Whether `address` is one of the configured proxies'; nothing else than an address is."""
    cleaned = _clean_ip(address) if trusted_proxies else None
    return cleaned is not None and any(ip_address(cleaned) in net for net in trusted_proxies)


@lru_cache(maxsize=4096)
def _clean_ip(text: str) -> str | None:
    try:
        return str(_read_ip(text.strip().partition("%")[0]))
    except ValueError:
        return None


def _read_ip(text: str) -> IPv4Address | IPv6Address:
    """A socket for both versions shows IPv4 peers as ``::ffff:192.0.2.1``; that is one address."""
    address = ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def origin_of(request: Any) -> Origin:
    """The origin that the middleware has read for `request`."""
    origin: Origin = request.origin
    return origin

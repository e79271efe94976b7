"""Where a request came from: its id, the client's address and its user agent."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from organizations import ids
from organizations.actors import Origin
from organizations.redaction import redact

Networks = Sequence[IPv4Network | IPv6Network]
_USER_AGENT_LENGTH: Final = 500


def read_origin(meta: dict[str, Any], trusted_proxies: Networks) -> Origin:
    """The origin of a WSGI request; forwarded addresses count only from trusted proxies."""
    agent = "".join(c for c in meta.get("HTTP_USER_AGENT", "") if c.isprintable())
    return Origin(
        request_id=ids.public_id("req", ids.new_id()),
        ip=client_ip(meta, trusted_proxies),
        user_agent=redact(agent)[:_USER_AGENT_LENGTH],
    )


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
    cleaned = _clean_ip(address)
    return cleaned is not None and any(ip_address(cleaned) in net for net in trusted_proxies)


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

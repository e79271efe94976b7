"""Failed keys by source address: whoever guesses on and on is no longer looked up.

Counted against the address that guesses, never against a key whose prefix was guessed, and in
each process by itself. Keys that this process has accepted before are looked up all the same, so
that honest callers behind the same address notice nothing.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final

import structlog

from apikeys import conf
from apikeys.recent import Recent

_WINDOW: Final = 60.0
#: Addresses in each of two generations.
_SIZE: Final = 10_000
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Count:
    ends: float
    failures: int = 0


_counts: Final[Recent[str, _Count]] = Recent(_SIZE)


def note(address: str | None) -> None:
    """Counts a well-formed secret that opens nothing."""
    most = conf.invalid_keys()
    if not address or not most:
        return
    source = _source(address)
    count = _current(source)
    if count is None:
        count = _Count(time.monotonic() + _WINDOW)
        _counts.keep(source, count)
    count.failures += 1
    if count.failures == most:
        _log.warning("keys_guessed", source=source, failures=most)


def wait(address: str | None) -> int:
    """Seconds for which unknown secrets from an address are not looked up; 0 if they are."""
    count = _current(_source(address)) if address and len(_counts) else None
    if count is None or not 0 < conf.invalid_keys() <= count.failures:
        return 0
    return max(1, ceil(count.ends - time.monotonic()))


def forget() -> None:
    """Counts anew for every address."""
    _counts.clear()


def _current(source: str) -> _Count | None:
    count = _counts.get(source)
    return count if count and time.monotonic() < count.ends else None


@lru_cache(maxsize=4096)
def _source(address: str) -> str:
    """The address; of IPv6 the network of one customer, who has all addresses in it."""
    if ip_address(address).version == 4:
        return address
    return str(ip_network(f"{address}/64", strict=False))

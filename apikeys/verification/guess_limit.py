"""Throttles unknown keys per source IP address.

Failures count against the source, never against a key whose prefix was guessed, and each process
counts separately. Keys that this process has accepted before are always looked up.

A genuine key that is new to the process looks like a guess. Two small budgets let such keys in
while their source is over its limit: one for secrets sent for the first time, one for secrets sent
again after a refusal. A guesser sends a new secret each time and never uses the second budget.
Within a window, no secret is looked up twice from these budgets, so a client that keeps sending a
deleted key doesn't use them up.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final, NamedTuple

import structlog

from apikeys import conf
from core.bounded_cache import BoundedCache

_WINDOW: Final = 60.0
#: Sources in each of the cache's two generations.
_SIZE: Final = 10_000
#: Divisor: each budget of a source over its limit is this fraction of INVALID_KEYS_PER_MINUTE.
_SPARE: Final = 5
#: Seconds after which a refused secret may be sent again.
_SOON: Final = 1
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Count:
    ends: float
    failures: int = 0
    first_looks: int = 0
    second_looks: int = 0


class _Sent(NamedTuple):
    """An unknown or refused secret, remembered until its source's window `ends`."""

    ends: float
    looked_up: bool


_counts: Final[BoundedCache[str, _Count]] = BoundedCache(_SIZE)
#: Secrets by digest.
_sent: Final[BoundedCache[bytes, _Sent]] = BoundedCache(_SIZE)


def record_failure(address: str | None, digest: bytes) -> None:
    """Counts a well-formed secret that does not exist."""
    most = conf.invalid_keys_per_minute()
    if not address or not most:
        return
    source = _source(address)
    count = _current(source)
    if count is None:
        count = _Count(time.monotonic() + _WINDOW)
        _counts.keep(source, count)
    count.failures += 1
    _sent.keep(digest, _Sent(count.ends, looked_up=True))
    if count.failures == most:
        _log.warning("keys_guessed", source=source, failures=most)


def may_look_up(address: str | None, digest: bytes) -> bool:
    """Whether a secret that is new to this process may be looked up. Counts the look-up."""
    count = _spent(address)
    if count is None:
        return True
    sent = _sent_before(count, digest)
    if sent and sent.looked_up:
        return False
    most = ceil(conf.invalid_keys_per_minute() / _SPARE)
    if sent:
        count.second_looks += 1
        looks = count.second_looks
    else:
        count.first_looks += 1
        looks = count.first_looks
    _sent.keep(digest, _Sent(count.ends, looks <= most))
    return looks <= most


def retry_after(address: str | None, digest: bytes) -> int:
    """Seconds after which a refused secret may be looked up. 0 for a source within its limit."""
    count = _spent(address)
    if count is None:
        return 0
    sent = _sent_before(count, digest)
    is_next = sent is not None and not sent.looked_up
    if is_next and count.second_looks < ceil(conf.invalid_keys_per_minute() / _SPARE):
        return _SOON
    return max(1, ceil(count.ends - time.monotonic()))


def reset() -> None:
    """Forgets all counts."""
    _counts.clear()
    _sent.clear()


def _spent(address: str | None) -> _Count | None:
    """The count of a source that has reached its limit, otherwise None."""
    count = _current(_source(address)) if address and len(_counts) else None
    return count if count and 0 < conf.invalid_keys_per_minute() <= count.failures else None


def _sent_before(count: _Count, digest: bytes) -> _Sent | None:
    sent = _sent.get(digest)
    return sent if sent and sent.ends == count.ends else None


def _current(source: str) -> _Count | None:
    count = _counts.get(source)
    return count if count and time.monotonic() < count.ends else None


@lru_cache(maxsize=4096)
def _source(address: str) -> str:
    """The IPv4 address, or the /64 network of an IPv6 address: one customer has all of it."""
    if ip_address(address).version == 4:
        return address
    return str(ip_network(f"{address}/64", strict=False))

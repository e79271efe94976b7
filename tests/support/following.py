"""Helpers for the revocation clock: a process that follows it, and others that don't respond."""

import time
from collections.abc import Callable
from typing import Final

from apikeys.verification import key_cache
from core import ids
from organizations.models import Clock, Follower

LEASE: Final = 0.5
_SECONDS: Final = 30


def eventually(happens: Callable[[], bool]) -> None:
    """Returns when it has happened."""
    deadline = time.monotonic() + _SECONDS
    while not happens():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.01)


def is_trusted() -> bool:
    """Whether this process may use what it has cached."""
    return time.monotonic() < key_cache.follower.trust.until


def follow() -> None:
    """This process follows from now on, and trusts."""
    key_cache.start()
    eventually(is_trusted)


def silent(lease: float = LEASE, number: int | None = None) -> Follower:
    """Another process that follows and acknowledges nothing: frozen, or cut off."""
    stands = Clock.objects.get().number if number is None else number
    return Follower.objects.create(id=ids.new_id(), number=stands, lease=lease, process="another")

"""Cache of verified keys, trusted while this process follows the revocation clock (ADR 0018).

Holds only secrets that were accepted, each under its keyed digest.
"""

import os
import threading
import time
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from apikeys import conf
from apikeys.verification.types import VerifiedKey
from core.revocation_clock.follower import Follower

#: Entries in each of two generations. Full, they take about 30 MB.
_SIZE: Final = 10_000


class _Generation:
    """Verified keys by digest, None after a change, and the digests of each key."""

    __slots__ = ("digests", "entries")

    def __init__(self) -> None:
        self.entries: dict[bytes, VerifiedKey | None] = {}
        self.digests: dict[int, set[bytes]] = {}

    def put(self, digest: bytes, found: VerifiedKey) -> None:
        self.entries[digest] = found
        self.digests.setdefault(found.key_id.int, set()).add(digest)

    def drop_key(self, key: int) -> None:
        for digest in self.digests.pop(key, ()):
            self.entries[digest] = None

    def drop_owned(self, owners: set[UUID]) -> None:
        """Drops the keys of organizations and service accounts. Rare, so it scans all keys."""
        for digest, found in self.entries.items():
            if found and (found.organization_id in owners or found.service_account_id in owners):
                self.entries[digest] = None

    def forget(self) -> None:
        self.entries = dict.fromkeys(self.entries)
        self.digests = {}


class VerifiedSecrets:
    """The cache. Holds `size` to twice as many entries and drops the oldest half when full.

    Writers hold a lock. Readers need none: each read is one dictionary operation.
    """

    def __init__(self, size: int = _SIZE) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._young, self._old = _Generation(), _Generation()

    def __len__(self) -> int:
        return len(self._young.entries) + len(self._old.entries)

    def get(self, digest: bytes) -> VerifiedKey | None:
        """The cached key, or None if it is unknown or has changed since."""
        return self._young.entries.get(digest) or self._old.entries.get(digest)

    def knows(self, digest: bytes) -> bool:
        """Whether the secret has been accepted here before, even if it is no longer valid."""
        return digest in self._young.entries or digest in self._old.entries

    def put(self, digest: bytes, found: VerifiedKey) -> None:
        with self._lock:
            self._make_room()
            self._young.put(digest, found)

    def know(self, digest: bytes) -> None:
        """Records that the secret was accepted, without caching its key."""
        with self._lock:
            self._make_room()
            self._young.entries[digest] = None

    def _make_room(self) -> None:
        if len(self._young.entries) >= self._size:
            self._old, self._young = self._young, _Generation()

    def drop(self, changes: Iterable[tuple[str, UUID]]) -> None:
        """Drops changed keys, and the keys of changed service accounts and organizations."""
        owners = set()
        with self._lock:
            for kind, changed in changes:
                if kind == "key":
                    self._young.drop_key(changed.int)
                    self._old.drop_key(changed.int)
                else:
                    owners.add(changed)
            if owners:
                self._young.drop_owned(owners)
                self._old.drop_owned(owners)

    def forget(self) -> None:
        """Drops all keys but still knows which secrets were accepted."""
        with self._lock:
            self._young.forget()
            self._old.forget()

    def clear(self) -> None:
        with self._lock:
            self._young, self._old = _Generation(), _Generation()

    def forget_parent(self) -> None:
        """Call in a forked child: a thread that does not exist there may have held the lock."""
        self._lock = threading.Lock()
        self.clear()


cache: Final = VerifiedSecrets()
follower: Final = Follower(cache)
_trust: Final = follower.trust
os.register_at_fork(after_in_child=cache.forget_parent)
os.register_at_fork(after_in_child=follower.forget_parent)


def held(digest: bytes) -> VerifiedKey | None:
    """The cached key for a secret's digest while the cache is trusted, otherwise None."""
    # The clock is checked before the cache is read: an entry dropped later was still valid then.
    if time.monotonic() < _trust.until or time.monotonic() < follower.stale_until:
        return cache.get(digest)
    return None


def held_while_away(digest: bytes) -> VerifiedKey | None:
    """The last known key while the database is unreachable, if API_KEY_STALE_SECONDS allows it."""
    return cache.get(digest) if follower.may_be_stale() else None


def keep(digest: bytes, found: VerifiedKey, number: int) -> None:
    """Caches a key read when the clock was at `number`, or only the fact that it was accepted."""
    if not follower.keep(number, lambda: cache.put(digest, found)):
        cache.know(digest)


def start() -> None:
    """Starts following the clock, unless leases are off."""
    follower.start(conf.lease(), conf.stale_seconds())


def stop() -> None:
    """Stops following the clock and empties the cache."""
    follower.stop()
    cache.clear()

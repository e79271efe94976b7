"""What this process has verified and may trust while it follows the revocation clock.

The argument for it is in docs/adr/0018. Only secrets that opened something are kept, each under its
keyed digest.
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

#: Entries in each of two generations: about 30 MB when full.
_SIZE: Final = 10_000


class _Generation:
    """Answers by digest, None for one that has to be asked for again, and the digests of keys."""

    __slots__ = ("answers", "digests")

    def __init__(self) -> None:
        self.answers: dict[bytes, VerifiedKey | None] = {}
        self.digests: dict[int, set[bytes]] = {}

    def put(self, digest: bytes, found: VerifiedKey) -> None:
        self.answers[digest] = found
        self.digests.setdefault(found.key_id.int, set()).add(digest)

    def drop_key(self, key: int) -> None:
        for digest in self.digests.pop(key, ()):
            self.answers[digest] = None

    def drop_owned(self, owners: set[UUID]) -> None:
        """Drops the keys of organizations and service accounts; rare, so nothing is indexed."""
        for digest, found in self.answers.items():
            if found and (found.organization_id in owners or found.service_account_id in owners):
                self.answers[digest] = None

    def forget(self) -> None:
        self.answers = dict.fromkeys(self.answers)
        self.digests = {}


class VerifiedSecrets:
    """The cache: from `size` to twice as many answers, the oldest half forgotten at a time.

    Writers hold a lock. Readers need none: each look is one operation on a dictionary.
    """

    def __init__(self, size: int = _SIZE) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._young, self._old = _Generation(), _Generation()

    def __len__(self) -> int:
        return len(self._young.answers) + len(self._old.answers)

    def get(self, digest: bytes) -> VerifiedKey | None:
        """The answer, if there is one that nothing has changed since."""
        return self._young.answers.get(digest) or self._old.answers.get(digest)

    def knows(self, digest: bytes) -> bool:
        """Whether the secret has opened something here before, even if it may not any more."""
        return digest in self._young.answers or digest in self._old.answers

    def put(self, digest: bytes, found: VerifiedKey) -> None:
        """Keeps an answer."""
        with self._lock:
            self._make_room()
            self._young.put(digest, found)

    def know(self, digest: bytes) -> None:
        """Keeps that the secret has opened something, and no answer."""
        with self._lock:
            self._make_room()
            self._young.answers[digest] = None

    def _make_room(self) -> None:
        if len(self._young.answers) >= self._size:
            self._old, self._young = self._young, _Generation()

    def drop(self, changes: Iterable[tuple[str, UUID]]) -> None:
        """Forgets the answers about keys, service accounts and organizations that have changed."""
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
        """Forgets all answers, though not which secrets are known."""
        with self._lock:
            self._young.forget()
            self._old.forget()

    def clear(self) -> None:
        """As new."""
        with self._lock:
            self._young, self._old = _Generation(), _Generation()

    def forget_parent(self) -> None:
        """In a child of a fork, where a thread that is gone may have held the lock."""
        self._lock = threading.Lock()
        self.clear()


cache: Final = VerifiedSecrets()
follower: Final = Follower(cache)
_trust: Final = follower.trust
os.register_at_fork(after_in_child=cache.forget_parent)
os.register_at_fork(after_in_child=follower.forget_parent)


def held(digest: bytes) -> VerifiedKey | None:
    """The trusted answer for the digest of a secret, if there is one.

    The clock is read before the cache: an answer that is dropped later was asked for earlier.
    """
    if time.monotonic() < _trust.until or time.monotonic() < follower.stale_until:
        return cache.get(digest)
    return None


def held_while_away(digest: bytes) -> VerifiedKey | None:
    """The last answer, where the database can't be asked and the operator allows for that."""
    return cache.get(digest) if follower.may_be_stale() else None


def keep(digest: bytes, found: VerifiedKey, number: int) -> None:
    """Keeps an answer that was read when the clock stood at `number`, or that there was one."""
    if not follower.keep(number, lambda: cache.put(digest, found)):
        cache.know(digest)


def start() -> None:
    """Begins to follow the clock, unless leases are off."""
    follower.start(conf.lease(), conf.stale_seconds())


def stop() -> None:
    """Trusts nothing any more, as at the start of the process."""
    follower.stop()
    cache.clear()

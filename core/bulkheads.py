"""Bulkheads: limits how many threads of a worker may do work that waits.

Four kinds of work block a thread for long without using much CPU: waiting until every worker knows
of a revocation, the request of the Test page, exports, and text searches of the audit log. Together
they get at most half of a worker's threads. The last of these places is reserved for a revocation
by an organization that has no other revocation in progress. So one tenant can't block other
tenants' requests or revocations, and its own exports can't block its own revocations.

Only serving processes have limits. In commands and tests everything passes.
"""

import threading
from collections import Counter, deque
from threading import get_ident
from typing import Final, Literal
from uuid import UUID

from core.exceptions import Busy

Kind = Literal["waiting", "test_call", "export", "search"]
#: An organization, and whether the place is for a revocation.
_Holder = tuple[int, bool]

#: Places per organization and process, not counting its first revocation.
MOST_PER_ORGANIZATION: Final = 2
#: Message and retry delay in seconds for each kind of work.
_REFUSALS: Final[dict[Kind, tuple[str, int]]] = {
    "waiting": ("Too many changes are in progress.", 1),
    "test_call": ("Too many tests are in progress.", 5),
    "export": ("Too many exports are in progress.", 5),
    "search": ("Too many searches are in progress.", 2),
}


class _Process:
    """The places of this process. `places` is 0 if nothing is limited.

    An organization's key is its UUID as an int, which hashes faster. Staff are 0.
    """

    def __init__(self) -> None:
        self.places = 0
        self.taken = 0
        #: Places per organization, with those for revocations counted separately.
        self.taken_by: Final[Counter[_Holder]] = Counter()
        self.lock: Final = threading.Lock()
        #: Holders that released their place since the last check. Appending needs no lock:
        #: a destructor must not wait for one, and it is faster.
        self.returned: Final[deque[_Holder]] = deque()
        #: IDs of the threads that hold a place.
        self.threads: Final[set[int]] = set()

    def take(self, kind: Kind, organization: int) -> None:
        """Takes a place, or raises Busy."""
        with self.lock:
            has_room = self._has_room(kind, organization)
            if has_room:
                self.taken += 1
                self.taken_by[organization, kind == "waiting"] += 1
        if not has_room:
            raise _busy(kind)

    def has_room(self, kind: Kind, organization: int | None) -> bool:
        """Whether there is a place for this organization, or for any organization if None."""
        with self.lock:
            return self._has_room(kind, organization)

    def _has_room(self, kind: Kind, organization: int | None) -> bool:
        self._forget_returned()
        waiting = other = 0
        if organization is not None:
            waiting = self.taken_by.get((organization, True), 0)
            other = self.taken_by.get((organization, False), 0)
        if kind == "waiting" and not waiting:
            return self.taken < self.places or self._is_only_place_held_by_other_work()
        kept = 1 if self.places > 1 else 0
        return waiting + other < MOST_PER_ORGANIZATION and self.taken < self.places - kept

    def _is_only_place_held_by_other_work(self) -> bool:
        # With one place in all, none can be reserved. A revocation then shares it with other work.
        return self.places == 1 and not any(waiting for _, waiting in self.taken_by)

    def _forget_returned(self) -> None:
        while self.returned:
            holder = self.returned.popleft()
            self.taken -= 1
            self.taken_by[holder] -= 1
            if not self.taken_by[holder]:
                del self.taken_by[holder]


_process: Final = _Process()


def limit(threads: int) -> None:
    """Allows half of `threads` places from now on, at least one. 0 removes the limit."""
    _process.places = max(1, threads // 2) if threads else 0


def taken() -> int:
    """The number of places in use."""
    return _process.taken - len(_process.returned)


def refusal_of(kind: Kind, organization_id: UUID | None = None) -> Busy | None:
    """The error that an organization would get now, or None if a place is free.

    Without an organization, the error that every organization would get. Lets callers refuse before
    they do expensive work. Taking the place later can still fail.
    """
    if not _process.places:
        return None
    organization = None if organization_id is None else organization_id.int
    return None if _process.has_room(kind, organization) else _busy(kind)


class Place:
    """A place that is held until `release`, by any thread. Raises Busy if none is free.

    For work that outlasts its view, such as a streaming response.
    """

    __slots__ = ("_holder", "_is_held")

    def __init__(self, kind: Kind, organization_id: UUID | None) -> None:
        organization = 0 if organization_id is None else organization_id.int
        self._holder = (organization, kind == "waiting")
        self._is_held = False
        if _process.places:
            _process.take(kind, organization)
            self._is_held = True

    def release(self) -> None:
        """Returns the place. Calling it again does nothing."""
        if self._is_held:
            self._is_held = False
            _process.returned.append(self._holder)

    def __del__(self) -> None:
        # A server may never close a response if sending it failed.
        self.release()


class hold:  # noqa: N801 - reads as a function: with bulkheads.hold(…)
    """Holds a place for this thread. Raises Busy before anything is done if none is free.

    `organization_id` is None for staff, who count as one organization. Nested operations of a
    thread share one place.
    """

    __slots__ = ("_kind", "_organization", "_thread")

    def __init__(self, kind: Kind, organization_id: UUID | None) -> None:
        self._kind: Kind = kind
        self._organization = 0 if organization_id is None else organization_id.int
        self._thread = 0

    def __enter__(self) -> None:
        if not _process.places:
            return
        thread = get_ident()
        if thread not in _process.threads:
            _process.take(self._kind, self._organization)
            _process.threads.add(thread)
            self._thread = thread

    def __exit__(self, *_: object) -> None:
        if self._thread:
            _process.threads.discard(self._thread)
            _process.returned.append((self._organization, self._kind == "waiting"))


def _busy(kind: Kind) -> Busy:
    what, seconds = _REFUSALS[kind]
    unit = "second" if seconds == 1 else "seconds"
    return Busy(f"{what} Try again in {seconds} {unit}.", retry_after=seconds)

"""Bulkheads: how many of a worker's threads may be busy with work that makes them wait.

Four kinds of work hold a thread for long without using the processor much: waiting until a
withdrawal is known to every worker, the Test page's call, an export, and a text search of the audit
log. Together they get at most half of the threads of a worker. The last of these places is kept:
only a withdrawal may take it, of an organization that has no other in progress. So no tenant stops
the checks of the others or anyone's withdrawals, and its own exports don't stop its own either.

Only serving processes have bulkheads; in commands and tests everything passes.
"""

import threading
from collections import Counter, deque
from threading import get_ident
from typing import Final, Literal
from uuid import UUID

from core.exceptions import Busy

Kind = Literal["waiting", "test_call", "export", "search"]
#: An organization, and whether the place is that of a withdrawal.
_Holder = tuple[int, bool]

#: The most places that one organization may have in a process, its first withdrawal aside.
MOST_PER_ORGANIZATION: Final = 2
#: What is said of a kind of work, and after how many seconds to try again.
_REFUSALS: Final[dict[Kind, tuple[str, int]]] = {
    "waiting": ("Too many changes are in progress.", 1),
    "test_call": ("Too many tests are in progress.", 5),
    "export": ("Too many exports are in progress.", 5),
    "search": ("Too many searches are in progress.", 2),
}


class _Process:
    """The places of this process; `places` is 0 where nothing is limited.

    An organization is its UUID as a number, which is hashed faster; staff are 0.
    """

    def __init__(self) -> None:
        self.places = 0
        self.taken = 0
        #: Places by organization, those of withdrawals apart.
        self.taken_by: Final[Counter[_Holder]] = Counter()
        self.lock: Final = threading.Lock()
        #: Who has given a place back since the last look. Appending waits for no lock, which a
        #: destructor must not do, and is quicker.
        self.returned: Final[deque[_Holder]] = deque()
        #: The threads that have a place.
        self.threads: Final[set[int]] = set()

    def take(self, kind: Kind, organization: int) -> None:
        """Counts a place, or raises Busy."""
        with self.lock:
            has_room = self._has_room(kind, organization)
            if has_room:
                self.taken += 1
                self.taken_by[organization, kind == "waiting"] += 1
        if not has_room:
            raise _busy(kind)

    def has_room(self, kind: Kind, organization: int | None) -> bool:
        """Whether there is a place for that organization; for any, if it is None."""
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
        """Where threads are too few to keep a place, a withdrawal needs none that others hold."""
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
    """From now on there are places for half of so many threads, at least one; 0 for no limit."""
    _process.places = max(1, threads // 2) if threads else 0


def taken() -> int:
    """How many places are taken."""
    return _process.taken - len(_process.returned)


def refusal_of(kind: Kind, organization_id: UUID | None = None) -> Busy | None:
    """What an organization would be told now; without one, what all would be told.

    None where a place would be given. Asked before the work that leads to it, so that refusing
    costs next to nothing; whoever asks may still be refused when they take the place.
    """
    if not _process.places:
        return None
    organization = None if organization_id is None else organization_id.int
    return None if _process.has_room(kind, organization) else _busy(kind)


class Place:
    """A place that is held until `release`, by any thread. Raises Busy where none is free.

    For work that outlives the call of its view, such as a streaming response.
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
        """Gives the place back; does nothing the second time."""
        if self._is_held:
            self._is_held = False
            _process.returned.append(self._holder)

    def __del__(self) -> None:
        """For a response that its server never closes, since something failed on its way out."""
        self.release()


class hold:  # noqa: N801 - reads as a function: with bulkheads.hold(…)
    """Within, this thread has a place; raises Busy before anything is done where none is free.

    `organization_id` is None for staff, who count as one organization. An operation inside another
    one of the same thread shares its place.
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

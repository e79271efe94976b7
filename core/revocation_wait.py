"""Taking authority away: the answer waits until no process can still act on the past.

An operation that takes authority away says so with `withdraw`. When the outermost transaction has
been committed, it returns as soon as every follower of the revocation clock has applied it
(docs/adr/0018), whatever has opened that transaction.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from django.db import connection, transaction

from core import bulkheads
from core.exceptions import DomainError
from core.revocation_clock.waiting import wait_for_followers

F = TypeVar("F", bound=Callable[..., Any])


class _State(threading.local):
    #: Whether an operation, or several together, will wait at its end.
    collecting = False
    pending = False
    #: How many withdrawals were announced, and how many of them a wait has covered.
    announced = 0
    settled = 0

    def __init__(self) -> None:
        #: What is held until the end of the operation.
        self.places = ExitStack()


_state: Final = _State()


def require_wait() -> None:
    """Says, inside an operation, that it takes authority away."""
    _state.announced += 1
    transaction.on_commit(_settle)


def wait_for_earlier(organization_id: UUID) -> None:
    """Says that what follows tells of a withdrawal that was made before.

    That one may be waiting still, or its process have died. This answer must not overtake it, even
    if it is a refusal. Raises Busy where too many wait: nothing has been done yet.
    """
    _state.announced += 1
    place = bulkheads.hold("waiting", organization_id)
    if _state.collecting:
        _state.places.enter_context(place)
        _settle()
    else:
        with place:
            _settle()


def limit_waiting(
    *, needed: Callable[[Mapping[str, Any]], bool] = lambda options: True
) -> Callable[[F], F]:
    """Lets an operation that may wait begin only while few others of its process do.

    Its first argument is an organization or belongs to one, or is a sequence of such. `needed`
    says of its options whether it may take authority away. Raises Busy before anything is done.
    """

    def decorate(operation: F) -> F:
        @wraps(operation)
        def wrapper(subject: Any, **options: Any) -> Any:
            if not needed(options):
                return operation(subject, **options)
            with bulkheads.hold("waiting", _organization_of(subject)):
                return operation(subject, **options)

        return cast(F, wrapper)

    return decorate


def _organization_of(subject: Any) -> UUID | None:
    """None for things of several organizations, which are staff's to change together."""
    things = subject if isinstance(subject, Sequence) else [subject]
    owners = {thing.organization_id for thing in things}
    return owners.pop() if len(owners) == 1 else None


@contextmanager
def wait_once() -> Iterator[None]:
    """Lets what happens within wait once, at the end, also where it ends in a refusal.

    Within a transaction that something else has opened, the wait belongs to that one's commit.
    """
    if _state.collecting or connection.in_atomic_block:
        yield
        return
    _state.collecting, _state.pending, answered = True, False, False
    with _state.places:
        try:
            yield
            answered = True
        except DomainError:
            answered = True
            raise
        finally:
            _state.collecting = False
            if answered and _state.pending:
                _wait()


def _settle() -> None:
    """Waits now, or when what collects withdrawals has ended; once for all of one commit."""
    if _state.collecting:
        _state.pending = True
    elif _state.settled < _state.announced:
        _wait()


def _wait() -> None:
    announced = _state.announced
    wait_for_followers()
    _state.settled = announced

"""Makes revocations wait until no process can still act on the old state.

An operation that takes authority away calls `require_wait`. It returns after the outermost
transaction is committed and every follower of the revocation clock has applied the change
(docs/adr/0018), no matter what opened that transaction.
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
    #: Whether a `wait_once` block is open, which waits at its end.
    collecting = False
    pending = False
    #: Revocations announced, and how many of them have been waited for.
    announced = 0
    settled = 0

    def __init__(self) -> None:
        #: Bulkhead places held until the end of the operation.
        self.places = ExitStack()


_state: Final = _State()


def require_wait() -> None:
    """Call inside an operation that takes authority away."""
    _state.announced += 1
    transaction.on_commit(_settle)


def wait_for_earlier(organization_id: UUID) -> None:
    """Call before a response that reveals an earlier revocation.

    Its operation may still be waiting, or its process may have died. This response must not
    overtake it, not even an error. Raises Busy if too many operations wait; nothing has been done
    then.
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
    """Lets an operation that may wait begin only if few others of its process are waiting.

    Its first argument is an organization, an object of one, or a sequence of such objects. `needed`
    tells from the options whether the operation may take authority away. Raises Busy before
    anything is done.
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
    # None for objects of several organizations: only staff change these together.
    things = subject if isinstance(subject, Sequence) else [subject]
    owners = {thing.organization_id for thing in things}
    return owners.pop() if len(owners) == 1 else None


@contextmanager
def wait_once() -> Iterator[None]:
    """Waits once at the end of the block, even if the block raises a DomainError.

    Inside a transaction that other code opened, the wait happens after that transaction's commit.
    """
    if _state.collecting or connection.in_atomic_block:
        yield
        return
    _state.collecting, _state.pending, is_finished = True, False, False
    with _state.places:
        try:
            yield
            is_finished = True
        except DomainError:
            is_finished = True
            raise
        finally:
            _state.collecting = False
            if is_finished and _state.pending:
                _wait()


def _settle() -> None:
    """Waits now, or at the end of the open `wait_once` block. Once per commit."""
    if _state.collecting:
        _state.pending = True
    elif _state.settled < _state.announced:
        _wait()


def _wait() -> None:
    announced = _state.announced
    wait_for_followers()
    _state.settled = announced

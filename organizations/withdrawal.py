"""Taking authority away for good: the answer waits until no worker can still act on the past.

Workers may trust what they have verified for a lease (docs/adr/0012). An operation that takes
authority away says so with `withdraw`; when it has been committed, it returns a lease later.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

#: Clocks of two machines may run at slightly different rates.
_MARGIN: Final = 1.01
#: How far the stamp of a change can lie behind its commit, and the clocks of machines apart.
_RECENT: Final = timedelta(minutes=1)


class _State(threading.local):
    pending = False
    together = False


_state: Final = _State()


def withdraw() -> None:
    """Says, inside an operation, that it takes authority away."""
    _state.pending = True


def withdraw_again(changed_at: datetime) -> None:
    """As `withdraw`, where another operation has taken the same away at `changed_at` or later.

    It may be waiting still, or have died after its commit: this answer must not overtake it.
    """
    if timezone.now() - changed_at < _RECENT:
        withdraw()


def forget() -> None:
    """Begins an operation that has taken nothing away yet."""
    if not _state.together:
        _state.pending = False


def wait_out() -> None:
    """After the commit: returns when every lease that was begun before it has ended."""
    if _state.pending and not _state.together:
        _state.pending = False
        time.sleep(settings.API_KEY_LEASE * _MARGIN)


@contextmanager
def together() -> Iterator[None]:
    """Lets several operations wait at the end, once for all of them."""
    _state.together = True
    try:
        yield
    finally:
        _state.together = False
        wait_out()

"""Waits after a commit until no process can act on the old state."""

import time
from typing import Final

from django.db import connection

from core.revocation_clock import store
from core.revocation_clock.follower import running
from core.revocation_clock.trust import MARGIN

#: Seconds between checks of the followers: short at first, longer if one is frozen.
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.05


def wait_for_followers() -> None:
    """Returns when every follower has applied the commit, or can't trust older state.

    Takes at most 1.01 times the longest lease of the followers that don't respond. Raises database
    errors: without the database, the followers' state is unknown.
    """
    began = time.monotonic()
    if not connection.in_atomic_block:  # else the follower's row would stay locked
        for follower in running():
            follower.catch_up()
    number, pause = store.current(), _FIRST_PAUSE
    while True:
        lease = store.longest_lease_behind(number)
        left = began + MARGIN * lease - time.monotonic()
        if not lease or left <= 0:
            return
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)

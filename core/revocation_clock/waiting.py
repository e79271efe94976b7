"""Waiting, after a commit, until no process can act on the state before it."""

import time
from typing import Final

from django.db import connection

from core.revocation_clock import store
from core.revocation_clock.follower import running
from core.revocation_clock.trust import MARGIN

#: Seconds between two looks at the followers: briefly at first, longer for one that is frozen.
_FIRST_PAUSE: Final = 0.002
_LONGEST_PAUSE: Final = 0.05


def wait_for_followers() -> None:
    """Returns when every follower has applied what is committed, or can trust nothing older.

    The longest that takes is 1.01 of the leases of those that say nothing. Raises what the
    database raises: without it nothing is known of the followers.
    """
    began = time.monotonic()
    if not connection.in_atomic_block:  # where the follower's row would stay locked
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

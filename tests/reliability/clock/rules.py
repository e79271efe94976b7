"""The protocol, and the ways to break it that the simulation must detect."""

from dataclasses import dataclass
from typing import Final

from core.revocation_clock.trust import DEAD, MARGIN


@dataclass(frozen=True)
class Rules:
    """What a world does. The defaults are the protocol; each other value breaks it."""

    #: A number is taken under the clock's row lock, at the commit. Otherwise from a sequence.
    numbers_in_commit_order: bool = True
    #: An answer is kept only if its number is not older than the follower's.
    compares_numbers: bool = True
    #: The number of an answer comes from the statement that read the key, not from a second one.
    reads_in_one_statement: bool = True
    #: A request looks at the trust before it looks into the cache.
    trust_before_cache: bool = True
    #: The lease begins before the follower asks, not when it has the answer.
    lease_from_before_asking: bool = True
    #: Trust ends when the last beat is too old.
    heeds_beats: bool = True
    #: A follower that starts over empties its cache.
    empties_cache: bool = True
    #: What has changed is dropped before the number is acknowledged.
    drops_before_acknowledging: bool = True
    #: A newcomer follows from a number read after its row is visible, not by the same statement.
    reads_number_after_registering: bool = True
    #: A follower that starts over trusts nothing before its old row goes.
    loses_trust_before_leaving: bool = True
    #: A follower that has lost its trust has no moment left from an outage before.
    loss_ends_staleness: bool = True
    #: A poll that does not bring every number since the last one is noticed.
    notices_missed_changes: bool = True
    #: The wait is counted from the end of the commit, not from before it.
    waits_from_commit: bool = True
    #: The wait counts the longest lease of those behind, not the waiting process's own.
    waits_for_longest_lease: bool = True
    #: How much longer than a lease an operation waits.
    margin: float = MARGIN
    #: For how many leases a cleaner sees the same beat.
    dead: float = DEAD


PROTOCOL: Final = Rules()
BROKEN: Final = {
    # It has gaps wherever a transaction was rolled back, so that a gap says nothing.
    "a plain sequence": Rules(numbers_in_commit_order=False, notices_missed_changes=False),
    "cached without comparing": Rules(compares_numbers=False),
    "removed after 1.5 leases": Rules(dead=1.5),
    "key and number in two statements": Rules(reads_in_one_statement=False),
    "cache before trust": Rules(trust_before_cache=False),
    "lease from after the answer": Rules(lease_from_before_asking=False),
    "trust without a beat": Rules(heeds_beats=False),
    "starting over with a full cache": Rules(empties_cache=False),
    "acknowledged before dropping": Rules(drops_before_acknowledging=False),
    "following from the registering statement": Rules(reads_number_after_registering=False),
    "leaving before losing trust": Rules(loses_trust_before_leaving=False),
    "stale after a loss": Rules(loss_ends_staleness=False),
    "missed changes unnoticed": Rules(notices_missed_changes=False),
    "waiting from before the commit": Rules(waits_from_commit=False),
    "waiting for one's own lease": Rules(waits_for_longest_lease=False),
    "waiting without a margin": Rules(margin=1.0),
}
#: Where the search for the rarest ones begins, so that it does not take long.
FIRST_SEEDS: Final = {"stale after a loss": 700, "following from the registering statement": 1000}

"""Who was told to come back later. Refusing them again until then costs next to nothing.

Counts per process. A caller is known by its session, so that nothing needs to be read for it.
"""

import time
from math import ceil
from typing import Final

from core.bounded_cache import BoundedCache

#: Callers in each of the cache's two generations.
_SIZE: Final = 10_000
#: When each ends, by a number that reveals nothing of the session.
_ends: Final[BoundedCache[int, float]] = BoundedCache(_SIZE)


def begin(session: str | None, work: str, seconds: int) -> None:
    """Refuses `work` in this session for so many seconds."""
    if session:
        _ends.keep(hash((session, work)), time.monotonic() + seconds)


def seconds_left(session: str | None, work: str) -> int:
    """Whole seconds until the session may do `work` again, 0 if it may now."""
    ends = _ends.get(hash((session, work))) if len(_ends) else None
    return max(0, ceil(ends - time.monotonic())) if ends else 0


def reset() -> None:
    """Forgets all callers."""
    _ends.clear()

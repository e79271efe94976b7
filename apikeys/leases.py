"""What this process has verified and may trust for a lease, without asking the database again.

The argument for it is in docs/adr/0012. Only secrets that opened something are kept, each under its
keyed digest.
"""

import time
from typing import TYPE_CHECKING, Final

from apikeys import conf
from apikeys.recent import Recent

if TYPE_CHECKING:
    from apikeys.verification import FoundSecret

#: Entries in each of two generations: about 25 MB when full.
_SIZE: Final = 10_000
_kept: "Final[Recent[bytes, tuple[float, FoundSecret]]]" = Recent(_SIZE)


def begin() -> float:
    """The moment from which a lease counts: before the query, on the process's own clock."""
    return time.monotonic()


def keep(digest: bytes, found: "FoundSecret", began: float) -> None:
    """Trusts `found` until a lease has passed since `began`."""
    _kept.keep(digest, (began + conf.lease(), found))


def held(digest: bytes) -> "FoundSecret | None":
    """What is under lease for the digest of a secret."""
    entry = _kept.get(digest)
    if entry is not None and time.monotonic() < entry[0]:
        return entry[1]
    return None


def is_familiar(digest: bytes) -> bool:
    """Whether the secret has opened something here before, be it long ago."""
    return _kept.get(digest) is not None


def clear() -> None:
    """Ends every lease of this process."""
    _kept.clear()

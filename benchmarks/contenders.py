"""The contenders: what each needs of its server, and how its requests are made."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from benchmarks import identities
from benchmarks.loader import NextRequest, request

#: Number of keys that are used repeatedly within a round. Each round draws them from all keys.
WORKING_SET: Final = 1_000
#: With the default lease, a key stays cached after its first request.
_HOT: Final[Mapping[str, str]] = {}
_COLD: Final = {"API_KEY_LEASE": "0"}


def _bearer(number: int) -> str:
    return f"Bearer {identities.our_secret(number)}"


def _api_key(number: int) -> str:
    return f"Api-Key {identities.peer_key(number)}"


def _token(number: int) -> str:
    return f"Token {identities.knox_token(number)}"


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of authenticating.

    `environment` contains variables for its server. If `every` is set, keys are drawn from the
    whole database instead of a round's working set. `writes` means that requests leave usage to be
    written.
    """

    name: str
    title: str
    path: str
    authorization: Callable[[int], str]
    environment: Mapping[str, str] = field(default_factory=dict)
    every: bool = False
    writes: bool = False

    def requests(self, keys: int, draw: random.Random) -> tuple[Sequence[bytes], NextRequest]:
        """Requests to send before a round is timed, and a function that makes the timed ones."""
        path, authorization = self.path, self.authorization
        if self.every:
            first = [request(path, authorization(draw.randrange(keys))) for _ in range(200)]
            return first, lambda: request(path, authorization(draw.randrange(keys)))
        chosen = draw.sample(range(keys), min(keys, WORKING_SET))
        known = [request(path, authorization(number)) for number in chosen]
        pick, size = draw.random, len(known)
        return known, lambda: known[int(pick() * size)]


_DRF, _PLAIN = "/api/bench/ours-drf", "/api/bench/ours-plain"
CONTENDERS: Final = (
    Contender(
        "django-alone",
        "bare Django view, no middleware",
        "/api/bench/django",
        _bearer,
        {"BENCH_MIDDLEWARE": "none"},
    ),
    Contender("django", "bare Django view", "/api/bench/django", _bearer),
    Contender("drf", "bare DRF view", "/api/bench/drf", _bearer),
    Contender("plain-hot", "Latchkey, plain view, hot", _PLAIN, _bearer, _HOT, writes=True),
    Contender("plain-cold", "Latchkey, plain view, cold", _PLAIN, _bearer, _COLD, writes=True),
    Contender("drf-hot", "Latchkey, DRF view, hot", _DRF, _bearer, _HOT, writes=True),
    Contender("drf-cold", "Latchkey, DRF view, cold", _DRF, _bearer, _COLD, writes=True),
    Contender(
        "drf-first",
        "Latchkey, DRF view, any of all keys",
        _DRF,
        _bearer,
        _COLD,
        every=True,
        writes=True,
    ),
    Contender(
        "drf-api-key",
        "djangorestframework-api-key",
        "/api/bench/drf-api-key",
        _api_key,
        every=True,
    ),
    Contender("knox", "django-rest-knox", "/api/bench/knox", _token, every=True),
)
BY_NAME: Final = {contender.name: contender for contender in CONTENDERS}

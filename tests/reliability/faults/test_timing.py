"""Measures and prints the timing of rejections. Tests that it would detect a difference.

Doesn't assert times, because test machines are too noisy. The figures of `make timing` are in
docs/operations/resilience.md.
"""

import http.client
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from apikeys import services, tokens
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from organizations.models import Organization
from organizations.services import set_rate_limit_tier
from tests.factories import SYSTEM
from tests.reliability.faults.timing import gap, interleaved
from tests.reliability.live.conftest import UNSHIELDED, Server, rounds, running

SAMPLES = rounds("TIMING_SAMPLES", 20)
CURRENT = "/v1/api-keys/current"
#: What the others are compared with, and its twin, which shows what chance alone does.
UNKNOWN, TWIN = "prefix of no key", "the same again"
Ask = Callable[[str], int]
Named = dict[str, Callable[[], str]]


@pytest.fixture
def server(committed: None, tmp_path: Path) -> Iterator[Server]:
    """One worker and one thread, so that nobody waits for anybody; guesses are not counted."""
    quiet = {"INVALID_KEYS_PER_MINUTE": "0", "API_KEY_LEASE": "0", "USAGE_INTERVAL": "0"}
    with running(tmp_path / "server.log", (1, 1), UNSHIELDED, **quiet) as server:
        yield server


@pytest.fixture
def ask(server: Server) -> Iterator[Ask]:
    """The status that a key is answered, on a connection that is kept."""
    parts = urlsplit(server.address)
    wire = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)

    def call(secret: str) -> int:
        wire.request("GET", CURRENT, headers={"Authorization": f"Bearer {secret}"})
        answer = wire.getresponse()
        answer.read()
        return answer.status

    yield call
    wire.close()


def _made_up() -> str:
    return tokens.generate("sig", tokens.Environment.LIVE)


def _beginning_like(secret: str) -> str:
    """A well-formed string with the displayed prefix of a key that there is."""
    prefix = tokens.displayed_prefix(secret)
    body = prefix + _made_up()[len(prefix) : -6]
    return body + tokens.checksum(body)


def _mistyped(secret: str) -> str:
    return secret[:-1] + ("A" if secret[-1] != "A" else "B")


def _ended(make_key: Callable[..., Issued]) -> dict[str, str]:
    """A secret for each reason that the holder of a genuine one is told."""
    keys = {name: make_key(name=name) for name in ("revoked", "expired", "disabled", "rotated")}
    services.revoke_api_key(keys["revoked"].key, actor=SYSTEM)
    services.set_api_key_enabled(keys["disabled"].key, enabled=False, actor=SYSTEM)
    services.rotate_api_key(keys["rotated"].key, actor=SYSTEM, grace_period=timedelta(0))
    with transactions.allowed():
        expired = ApiKey.objects.filter(pk=keys["expired"].key.pk)
        expired.update(expires_at=timezone.now() - timedelta(hours=1))
    return {f"genuine, {name}": issued.secret for name, issued in keys.items()}


def _classes(make_key: Callable[..., Issued]) -> Named:
    """What is sent for each class, made anew each time where it is made up."""
    known = make_key(name="Known").secret
    genuine = {name: (lambda secret=secret: secret) for name, secret in _ended(make_key).items()}
    return {
        UNKNOWN: _made_up,
        TWIN: _made_up,
        "prefix of a key": lambda: _beginning_like(known),
        "mistyped, prefix of no key": lambda: _mistyped(_made_up()),
        "mistyped, prefix of a key": lambda: _mistyped(known),
        **genuine,
        "genuine, let in": lambda: known,
    }


def _timed(classes: Named, ask: Ask, statuses: dict[str, set[int]]) -> dict[str, list[float]]:
    """Secrets are made before the clock starts; a status that comes is noted by its class."""
    ready = {
        name: [make() for _ in range(SAMPLES + SAMPLES // 10)] for name, make in classes.items()
    }

    def call(name: str) -> None:
        statuses[name].add(ask(ready[name].pop()))

    calls = {name: (lambda name=name: call(name)) for name in classes}
    return interleaved(calls, SAMPLES, random.Random(1))


def test_how_long_refusals_take(
    ask: Ask, acme: Organization, make_key: Callable[..., Issued], report: Callable[[str], None]
) -> None:
    set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)
    classes = _classes(make_key)
    statuses: dict[str, set[int]] = {name: set() for name in classes}

    samples = _timed(classes, ask, statuses)

    for name, times in samples.items():
        beside = gap(times, samples[UNKNOWN])
        median = statistics.median(times) * 1000
        report(f"| {name} | {median:.2f} | {beside.milliseconds:+.3f} | {beside.auc:.3f} |")
    assert statuses.pop("genuine, let in") == {200}
    assert set.union(*statuses.values()) == {401}
    assert {len(times) for times in samples.values()} == {SAMPLES}


def test_a_class_that_takes_longer_is_found_out() -> None:
    calls = {"quick": lambda: None, "slow": lambda: time.sleep(0.002)}

    samples = interleaved(calls, 50, random.Random(1))
    found = gap(samples["slow"], samples["quick"])

    assert found.auc == 1
    assert found.milliseconds >= 2


def test_small_differences_among_large_ones_are_found_out() -> None:
    chance = random.Random(1)
    noise = [[chance.gauss(1.0, 0.1) for _ in range(5_000)] for _ in range(3)]
    shifted = [value + 0.05 for value in noise[2]]

    assert 0.48 < gap(noise[0], noise[1]).auc < 0.52
    assert 0.6 < gap(shifted, noise[1]).auc < 0.7
    assert gap(noise[1], shifted).auc == pytest.approx(1 - gap(shifted, noise[1]).auc)
    assert gap([1.0, 1.0], [1.0]).auc == 0.5

"""A server killed while writing loses nothing that it acknowledged and leaves no partial writes."""

import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from django.db import connection
from django.db.models import Count, Q

from apikeys.models import ApiKey, ApiKeySecret
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from organizations import services as organization_services
from organizations.models import AuditEvent, Organization
from tests.factories import SYSTEM
from tests.reliability.faults.crashes import Owner, Remembered
from tests.reliability.live.conftest import Server, rounds, running

KILLS = rounds("KILLS", 4)
OWNERS = 6


def test_a_killed_server_has_lost_nothing_and_halved_nothing(
    committed: None,
    acme: Organization,
    manager: Issued,
    tmp_path: Path,
    report: Callable[[str], None],
) -> None:
    organization_services.set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)
    chance = random.Random(1)
    acknowledged, starts, unheard = 0, list[float](), list[Remembered]()
    for _ in range(KILLS):
        began = time.monotonic()
        # One worker starts sooner than four; the transactions of eight threads overlap as much.
        with running(tmp_path / "server.log", shape=(1, 8), API_KEY_LEASE="0.02") as server:
            starts.append(time.monotonic() - began)
            owners = write_until_killed(server, manager, chance)
        wait_for_the_last_words()
        acknowledged += sum(owner.acknowledged for owner in owners)
        unheard += [key for owner in owners for key in owner.keys if check(key)]
    check_the_whole()
    with running(tmp_path / "server.log") as server:
        check_unheard(server, manager, unheard)

    report(
        f"| {connection.vendor} | {KILLS} | {acknowledged:,} | 0 | {len(unheard)}"
        f" | {sorted(starts)[len(starts) // 2]:.1f} |"
    )
    assert acknowledged > KILLS


def write_until_killed(server: Server, manager: Issued, chance: random.Random) -> list[Owner]:
    """What the owners remember of the time before the kill."""
    seeds = [chance.getrandbits(32) for _ in range(OWNERS)]
    owners = [Owner(server.address, manager.secret, seed) for seed in seeds]
    for owner in owners:
        owner.start()
    while not any(owner.acknowledged for owner in owners):
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.5))
    server.kill()
    for owner in owners:
        owner.join()
        assert owner.surprises == []
    return owners


def wait_for_the_last_words() -> None:
    """PostgreSQL may still be carrying out what the dead have asked for."""
    if connection.vendor == "sqlite":
        return
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    deadline, left = time.monotonic() + 30, 2
    while left > 1:
        assert time.monotonic() < deadline
        with connection.cursor() as cursor:
            cursor.execute(others)
            left = cursor.fetchone()[0]


def check(key: Remembered) -> bool:
    """Every answer is true; what had none has happened whole or not at all.

    Whether it is a key of which nobody has the secret.
    """
    if not key.secrets:
        return ApiKey.objects.filter(name=key.name).exists()
    stored = ApiKey.objects.get(name=key.name)
    assert stored.public_id == key.id
    made = stored.secrets.count()
    assert made == len(key.secrets) or (key.pending == "rotate" and made == len(key.secrets) + 1)
    assert bool(stored.revoked_at) == key.revoked or key.pending == "revoke"
    wanted = Refusal.REVOKED if stored.revoked_at else None
    assert {verify(secret).refusal for secret in key.secrets} == {wanted}
    return False


def check_the_whole() -> None:
    """Each key has a live secret, and each thing that happened has its event, and no other has."""
    events = AuditEvent.objects.filter(target_type="ApiKey").values_list("target_id", "event")
    told = Counter(events)
    current = Count("secrets", filter=Q(secrets__ends_at=None))
    keys = ApiKey.objects.annotate(made=Count("secrets"), current=current)
    happened: Counter[tuple[object, str]] = Counter()
    for pk, revoked_at, made, live in keys.values_list("pk", "revoked_at", "made", "current"):
        assert live == 1, pk
        happened[pk, "api_key.created"] = 1
        happened[pk, "api_key.rotated"] = made - 1
        happened[pk, "api_key.revoked"] = 1 if revoked_at else 0
    assert told == +happened
    assert ApiKeySecret.objects.filter(key=None).count() == 0
    names = ApiKey.objects.values_list("name", flat=True)
    assert len(names) == len(set(names))
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA integrity_check")
            assert cursor.fetchone() == ("ok",)


def check_unheard(server: Server, manager: Issued, unheard: list[Remembered]) -> None:
    """A key whose creation was never answered is listed as never used, and a rotation saves it."""
    for key in unheard:
        found = server.call("GET", f"/v1/api-keys?name={key.name}", key=manager).json()["data"]
        assert [(item["name"], item["last_used_at"]) for item in found] == [(key.name, None)]
        path = f"/v1/api-keys/{found[0]['id']}/rotate"
        body = {"grace_period": 0}
        saved = server.call("POST", path, key=manager, body=body)
        assert saved.status_code == 200
        assert server.statuses(saved.json()["key"], 1) == [200]

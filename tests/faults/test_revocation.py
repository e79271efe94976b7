"""Under load, no request that was sent after the answer to a withdrawal had come is accepted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations import services as organization_services
from organizations import writes
from organizations.models import Organization, ServiceAccount
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.faults.load import Call, Load
from tests.live.conftest import LEASE, Server, rounds, running

ROUNDS = rounds("REVOCATION_ROUNDS", 2)


@dataclass(frozen=True, slots=True)
class Scene:
    """A key under load, and what it takes to withdraw its authority."""

    server: Server
    acme: Organization
    robot: ServiceAccount
    manager: Issued
    victim: Issued

    def call(self, method: str, **body: object) -> None:
        """The manager calls the victim's own address."""
        path = f"/v1/api-keys/{self.victim.key.public_id}"
        self._call(method, path, **body)

    def rotate(self, **body: object) -> None:
        self._call("POST", f"/v1/api-keys/{self.victim.key.public_id}/rotate", **body)

    def _call(self, method: str, path: str, **body: object) -> None:
        answer = self.server.call(method, path, key=self.manager, body=body or None)
        assert answer.status_code == 200


def _expires(scene: Scene) -> None:
    """Nobody withdraws anything: an end comes, which every worker has had time to learn of."""
    end = timezone.now() + timedelta(seconds=2 * LEASE)
    with writes.allowed():
        ApiKey.objects.filter(pk=scene.victim.key.pk).update(expires_at=end)
    while timezone.now() < end:
        time.sleep(0.005)


def _set_access(scene: Scene, enabled: bool) -> None:
    organization_services.set_api_access(scene.acme, enabled=enabled, actor=SYSTEM)


def _set_robot(scene: Scene, enabled: bool) -> None:
    organization_services.set_service_account_enabled(scene.robot, enabled=enabled, actor=SYSTEM)


def _lower_tier(scene: Scene) -> None:
    services.set_key_rate_limit_tier(scene.victim.key, tier="high", actor=SYSTEM)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A way to take authority away, what goes before and after it, and what is still a use of it.

    `lists_only`: the authority to call the addresses that list keys, and no others.
    """

    name: str
    act: Callable[[Scene], object]
    before: Callable[[Scene], object] = lambda scene: None
    after: Callable[[Scene], object] = lambda scene: None
    accepted: Callable[[Call], bool] = lambda call: call.status == 200
    lists_only: bool = False


WITHDRAWALS = [
    Withdrawal("revoked", lambda scene: scene.call("DELETE")),
    Withdrawal("disabled", lambda scene: scene.call("PATCH", enabled=False)),
    Withdrawal(
        "API access off",
        lambda scene: _set_access(scene, False),
        after=lambda scene: _set_access(scene, True),
    ),
    Withdrawal(
        "service account off",
        lambda scene: _set_robot(scene, False),
        after=lambda scene: _set_robot(scene, True),
    ),
    Withdrawal(
        "rotation ended by force",
        lambda scene: scene.rotate(force=True),
        before=lambda scene: scene.rotate(),
    ),
    Withdrawal("rotated without an overlap", lambda scene: scene.rotate(grace_period=0)),
    Withdrawal(
        "scopes narrowed",
        lambda scene: scene.call("PATCH", scopes=["search:read"]),
        lists_only=True,
    ),
    Withdrawal(
        "tier lowered", _lower_tier, accepted=lambda call: call.policy.startswith('"maximum"')
    ),
    Withdrawal("expired", _expires),
]


@pytest.fixture
def scene(
    server: Server, acme: Organization, manager: Issued, make_key: Callable[..., Issued]
) -> Callable[[], Scene]:
    """Sets the scene with a fresh key, in a tier that no load uses up."""
    organization_services.set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)
    robot = ServiceAccountFactory.create(organization=acme)

    def make() -> Scene:
        victim = make_key(service_account=robot, scopes=ALL_SCOPES)
        return Scene(server, acme, robot, manager, victim)

    return make


def addresses(organization: Organization, *, lists_only: bool = False) -> list[str]:
    """One address of each format."""
    lists = ["/v1/api-keys", "/envelope/v1/api-keys"]
    lists.append(f"/api/v1/workspaces/{organization.id}/api-keys")
    own = ["/v1/api-keys/current", "/envelope/v1/api-keys/current"]
    return lists if lists_only else [*own, lists[2], f"/v1/accounts/{organization.id}/templates"]


def withdraw(scene: Scene, how: Withdrawal) -> tuple[int, list[Call]]:
    """Withdraws under load; calls accepted before it, and all that were sent after its answer.

    They are watched for as long as a worker could trust what it held.
    """
    how.before(scene)
    paths = addresses(scene.acme, lists_only=how.lists_only)
    with Load(scene.server.address, [scene.victim.secret], paths) as load:
        load.wait_for(24, 200)
        how.act(scene)
        answered = time.monotonic()
        before = sum(how.accepted(call) for call in load.calls)
        load.wait_for(24, 200, 401, 403)
        time.sleep(max(0, answered + LEASE - time.monotonic()))
    how.after(scene)
    return before, load.after(answered)


def test_nothing_is_accepted_that_was_sent_after_the_answer(
    scene: Callable[[], Scene], report: Callable[[str], None]
) -> None:
    for how in WITHDRAWALS:
        before, after = 0, list[Call]()
        for _ in range(ROUNDS):
            accepted, calls = withdraw(scene(), how)
            before, after = before + accepted, after + calls

        wrong = [call for call in after if how.accepted(call)]
        report(f"| {how.name} | {ROUNDS} | {before:,} | {len(after):,} | {len(wrong)} |")
        assert before >= 24 * ROUNDS, how.name
        assert len(after) >= 24 * ROUNDS, how.name
        assert wrong == [], how.name
        assert {call.status for call in after} <= {200, 401, 403}, how.name


def test_a_withdrawal_that_does_not_wait_is_found_out(
    committed: None,
    acme: Organization,
    make_key: Callable[..., Issued],
    tmp_path: Path,
    settings: Settings,
) -> None:
    """The same look at workers that trust for longer than the operation waits."""
    settings.API_KEY_LEASE = 0
    organization_services.set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)
    robot = ServiceAccountFactory.create(organization=acme)
    victim = make_key(service_account=robot, scopes=ALL_SCOPES)
    hasty = Withdrawal("too soon", lambda scene: services.revoke_api_key(victim.key, actor=SYSTEM))

    with running(tmp_path / "server.log", API_KEY_LEASE="5") as server:
        _, after = withdraw(Scene(server, acme, robot, victim, victim), hasty)

    assert sum(hasty.accepted(call) for call in after) > 0

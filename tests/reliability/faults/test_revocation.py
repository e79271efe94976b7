"""Under load, no request sent after the response to a revocation is accepted.

Each way to revoke permissions is tried on every interface that offers it, while workers are frozen,
thawed, killed and restarted.
"""

import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.parse import quote

import pytest
from django.contrib.admin import ModelAdmin, TabularInline
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from apikeys import services
from apikeys.admin import ApiKeyAdmin
from apikeys.models import ApiKey
from config.admin import StaffAdminSite
from core import revocation_wait, transactions
from core.revocation_clock import store
from core.revocation_clock.trust import MARGIN
from organizations.admin import OrganizationAdmin
from organizations.models import Organization
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, IssuedKeyFactory
from tests.reliability.faults.load import LOST, Call, Load
from tests.reliability.faults.offered import (
    Offer,
    of_admin,
    of_commands,
    of_routes,
    offered,
    reached,
    withdrawing,
)
from tests.reliability.faults.wires import Wire
from tests.reliability.faults.withdrawals import (
    ACCESS_OFF,
    ACCOUNT_OFF,
    KINDS_OF,
    REASONS,
    REVOKED,
    ROWS,
    Command,
    Kind,
    Row,
    Scene,
    kinds,
)
from tests.reliability.live.conftest import LEASE, UNSHIELDED, Server, database_url, rounds, running
from tests.support.following import eventually

ROUNDS: Final = rounds("REVOCATION_ROUNDS", 2)
#: Keys that are revoked to see how long it takes.
TIMED: Final = rounds("REVOCATION_TIMED", 5)
URLS: Final = "tests.reliability.faults.product"
_SETTINGS: Final = "tests.reliability.faults.product_settings"
#: Calls that have to be accepted before a withdrawal, and to be answered after it.
_CALLS: Final = 12
#: How long a client waits for a frozen worker, which is thawed much sooner.
_PATIENCE: Final = 10.0


@pytest.fixture
def product(committed: None, tmp_path: Path, settings: Settings) -> Iterator[Server]:
    """A real server with the URLs of a product."""
    settings.API_KEY_LEASE = LEASE
    with running(tmp_path / "server.log", None, UNSHIELDED, **_variables()) as server:
        yield server


def _variables() -> dict[str, str]:
    """PostgreSQL ends what a frozen worker has begun, so that it holds no row for long."""
    variables = {"DJANGO_SETTINGS_MODULE": _SETTINGS, "DATABASE_URL": database_url()}
    if connection.vendor == "postgresql":
        options = quote("-c idle_in_transaction_session_timeout=4000")
        variables["DATABASE_URL"] += f"?options={options}"
    return variables


def test_every_operation_on_every_face_has_a_row() -> None:
    found = {
        (offer.face, kind)
        for offer in offered(URLS)
        if offer.face not in REASONS
        for kind in kinds(offer)
    }

    assert found == {(row.face, row.kind) for row in ROWS}
    assert len(found) == len(ROWS) >= 29


def test_every_service_that_withdraws_says_what() -> None:
    assert set(withdrawing().values()) == set(KINDS_OF)


def test_a_face_without_a_row_has_a_reason_and_exists() -> None:
    assert set(REASONS) <= {offer.face for offer in offered(URLS)}


def test_a_new_route_is_noticed() -> None:
    new = of_routes("tests.security.matrix.urls_with_one_more") - of_routes("config.urls")

    assert {(offer.face, offer.service) for offer in new} == {
        ("DELETE v1/api-keys/current", "revoke_api_key")
    }


def test_a_new_action_and_an_inline_are_noticed() -> None:
    class Keys(TabularInline[ApiKey, Organization]):
        model = ApiKey

    class Pages(OrganizationAdmin):
        inlines = (Keys,)

    class Actions(ApiKeyAdmin):
        actions: Any = (*ApiKeyAdmin.actions, "clean_up")

        def clean_up(self, request: Any, queryset: Any) -> None:
            self.act_on_each(request, queryset, self._end, "Ended keys")

        def _end(self, key: ApiKey) -> None:
            services.revoke_api_key(key, actor=SYSTEM)

    site = StaffAdminSite()
    pages: list[ModelAdmin[Any]] = [Pages(Organization, site), Actions(ApiKey, site)]

    assert of_admin(pages) - of_admin() == {
        Offer("admin action apikeys.apikey clean_up", "revoke_api_key"),
        Offer("admin inline organizations.organization apikeys.apikey", "any"),
    }


def test_a_new_command_is_noticed() -> None:
    assert of_commands([("rotate_everything", "tests.reliability.faults")]) == {
        Offer("command rotate_everything", "rotate_api_key")
    }


def test_a_new_withdrawing_service_is_noticed() -> None:
    @transactions.operation()
    def retire(key: ApiKey) -> None:
        services.revoke_api_key(key, actor=SYSTEM)

    assert revocation_wait.require_wait in reached(retire)
    assert revocation_wait.require_wait not in reached(services.create_template)


class Disturbance(Enum):
    """What happens to one of several workers around a withdrawal."""

    NONE = "nothing"
    KILLED = "killed before"
    FROZEN = "frozen before, thawed after the answer"
    THAWED = "frozen before, thawed meanwhile"


def freeze(process: int) -> None:
    """Returns when all of its threads have stopped, which takes them a moment."""
    os.kill(process, signal.SIGSTOP)
    threads = Path(f"/proc/{process}/task")
    eventually(lambda: all(_state(thread) == "T" for thread in threads.iterdir()))


def _state(thread: Path) -> str:
    return (thread / "stat").read_text().rpartition(")")[2].split()[0]


def _started(process: int) -> int:
    """In ticks since the machine was started."""
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19])


@contextmanager
def disturbed(server: Server, how: Disturbance, chance: Random) -> Iterator[None]:
    """Lets it happen to one worker; the one that serves the withdrawal is chosen within."""
    workers = server.workers
    if how is Disturbance.NONE or len(workers) < 2:
        yield
        return
    worker = chance.choice(workers)
    if how is Disturbance.KILLED:
        # The oldest: granian gives up where one of its workers ends twice in 5.5 seconds.
        os.kill(min(workers, key=_started), signal.SIGKILL)
        yield
        return
    freeze(worker)
    later = threading.Timer(chance.uniform(0, LEASE), os.kill, (worker, signal.SIGCONT))
    if how is Disturbance.THAWED:
        later.start()
    try:
        yield
    finally:
        later.cancel()
        os.kill(worker, signal.SIGCONT)


def addresses(organization: Organization, *, lists_only: bool = False) -> list[str]:
    """One endpoint of each format."""
    lists = ["/v1/api-keys", "/envelope/v1/api-keys"]
    lists.append(f"/api/v1/workspaces/{organization.id}/api-keys")
    own = ["/v1/api-keys/current", "/envelope/v1/api-keys/current"]
    return lists if lists_only else [*own, lists[2], f"/v1/accounts/{organization.id}/templates"]


@dataclass(frozen=True, slots=True)
class Round:
    """A withdrawal under load: what was accepted before, all that was sent after its answer.

    `acknowledged`: every process had applied it, or had lost its trust by then.
    """

    before: int
    after: list[Call]
    acknowledged: bool


def send(scene: Scene, row: Row, how: Disturbance, chance: Random) -> tuple[float, float]:
    """Withdraws on a face; the moments before and after."""
    asked = row.ask(scene)
    with disturbed(scene.server, how, chance):
        if isinstance(asked, Command):
            began = time.monotonic()
            asked.run(scene.server)
            return began, time.monotonic()
        with Wire(scene.server) as wire:
            began = time.monotonic()
            answer = wire.send(asked)
            answered = time.monotonic()
    assert answer.status in (200, 201, 302, 303), (row.face, how, answer)
    return began, answered


def withdraw(scene: Scene, row: Row, how: Disturbance, chance: Random) -> Round:
    """Withdraws under load, and watches for as long as a worker could trust what it held."""
    kind = row.kind
    kind.before(scene)
    paths = addresses(scene.acme, lists_only=kind.lists_only)
    with Load(scene.server.address, [scene.victim.secret], paths, patience=_PATIENCE) as load:
        load.wait_for(_CALLS, 200)
        began, answered = send(scene, row, how, chance)
        behind = store.longest_lease_behind(scene.latest_change)
        before = sum(kind.accepted(call) or call.status == 200 for call in load.calls)
        load.wait_for(_CALLS, 200, 401, 403)
        time.sleep(max(0, answered + LEASE - time.monotonic()))
    kind.after(scene)
    waited = answered - began
    return Round(before, load.after(answered), not behind or waited >= MARGIN * behind)


def played(scene: Scene, variant: int) -> Scene:
    """The scene with a fresh key, in one of the two variants."""
    fields = {"organization": scene.acme, "service_account": scene.robot, "scopes": ALL_SCOPES}
    return replace(scene, victim=IssuedKeyFactory.create(**fields), variant=variant)


def test_nothing_is_accepted_that_was_sent_after_the_answer(
    product: Server, report: Callable[[str], None]
) -> None:
    chance, numbers = Random(), count()
    wrong: dict[str, Any] = defaultdict(list)
    for row in ROWS:
        stage, seen = Scene.of(product), list[Round]()
        for variant in range(ROUNDS):
            how = list(Disturbance)[next(numbers) % len(Disturbance)]
            seen.append(withdraw(played(stage, variant % 2), row, how, chance))
        after = [call for write_lock in seen for call in write_lock.after]
        accepted = [call for call in after if row.kind.accepted(call)]
        before, name = sum(write_lock.before for write_lock in seen), f"{row.kind.name}: {row.face}"
        report(
            f"| {row.kind.name} | `{row.face}` | {ROUNDS} | {before:,} | {len(after):,}"
            f" | {len(accepted)} |"
        )
        if accepted or not all(write_lock.acknowledged for write_lock in seen):
            wrong[name] = seen
        assert {call.status for call in after} <= {LOST, 200, 401, 403, 503}, name
    report(f"{ROUNDS * len(ROWS):,} withdrawals in all")
    assert wrong == {}


def test_an_expiry_that_comes_is_kept_to_the_moment(product: Server) -> None:
    """Nothing is withdrawn: an end comes that every worker has had time to learn of."""
    scene = played(Scene.of(product), 0)
    with Load(product.address, [scene.victim.secret], addresses(scene.acme)) as load:
        load.wait_for(_CALLS, 200)
        end = timezone.now() + timedelta(seconds=3 * LEASE)
        with transactions.allowed():
            ApiKey.objects.filter(pk=scene.victim.key.pk).update(expires_at=end)
        while timezone.now() < end:
            time.sleep(0.005)
        ended = time.monotonic()
        load.wait_for(_CALLS, 200, 401)

    assert {call.status for call in load.after(ended)} == {401}


_TRIES: Final = 6
#: As before there was a clock. A command is a process of its own, which is not broken.
_CAUGHT: Final = {
    (REVOKED, "DELETE v1/api-keys/<str:id>"),
    (REVOKED, "POST product/offboard/<str:id>/"),
    (ACCESS_OFF, "admin page organizations.organization"),
    (ACCOUNT_OFF, "admin page organizations.serviceaccount"),
}


def test_withdrawals_that_do_not_wait_are_found_out(committed: None, tmp_path: Path) -> None:
    """The same look at a server that answers as before there was a clock."""
    accepted = dict[tuple[Kind, str], int]()
    shape = (1, 4) if connection.vendor == "sqlite" else (4, 2)
    log, hasty = tmp_path / "server.log", "tests.reliability.faults.hasty:application"
    variables = {"DJANGO_SETTINGS_MODULE": _SETTINGS, "API_KEY_LEASE": "10"}
    with running(log, shape, hasty, **variables) as server:
        for row in ROWS:
            if (row.kind, row.face) in _CAUGHT:
                accepted[row.kind, row.face] = _accepted_late(server, row)

    assert set(accepted) == _CAUGHT
    assert min(accepted.values()) > 0


def _accepted_late(server: Server, row: Row) -> int:
    """Tries again where every worker happened to have looked for changes just then."""
    accepted = 0
    for _ in range(_TRIES):
        scene = played(Scene.of(server), 0)
        seen = withdraw(scene, row, Disturbance.NONE, Random())
        accepted += sum(row.kind.accepted(call) for call in seen.after)
        if accepted:
            break
    return accepted


def test_how_long_a_withdrawal_takes(
    committed: None, tmp_path: Path, report: Callable[[str], None]
) -> None:
    """Reported, not asserted: a machine that runs the tests may be slow."""
    variables = {**_variables(), "API_KEY_LEASE": "1"}
    with running(tmp_path / "server.log", None, UNSHIELDED, **variables) as server:
        scene = Scene.of(server)
        for how in (Disturbance.NONE, Disturbance.FROZEN):
            times = TIMED if how is Disturbance.NONE else max(5, TIMED // 10)
            seconds = sorted(_seconds(scene, how) for _ in range(times))
            median, late = seconds[times // 2], seconds[int(times * 0.99)]
            report(
                f"One worker {how.value}: {times} times DELETE, median {median * 1000:.1f} ms,"
                f" 99th percentile {late * 1000:.1f} ms, longest {seconds[-1] * 1000:.1f} ms"
                " with a lease of 1 s"
            )
    revoked = ApiKey.objects.filter(organization=scene.acme).exclude(revoked_at=None)
    assert revoked.count() == TIMED + max(5, TIMED // 10)


def _seconds(scene: Scene, how: Disturbance) -> float:
    """How long it takes to revoke a key that every worker knows."""
    write_lock = played(scene, 0)
    assert set(scene.server.statuses(write_lock.victim, 8)) == {200}
    began, answered = send(write_lock, ROWS[0], how, Random())
    return answered - began

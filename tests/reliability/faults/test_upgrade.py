"""Keys created before a migration work during it, after it, and after it is reversed."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import StateApps
from django.utils import timezone

from apikeys import tokens
from apikeys.verification.verify import verify
from core.text import name_key
from organizations.models import Organization
from tests.reliability.faults.load import Load
from tests.reliability.live.conftest import Server, rounds

KEYS: Final = rounds("UPGRADE_KEYS", 40)
#: How many are answered before, between and after the migrations of the running server.
CALLS: Final = min(KEYS, 500)
CURRENT: Final = "/v1/api-keys/current"
_APPS: Final = ("apikeys", "organizations")
_ON_DISK: Final = sorted(MigrationLoader(None).disk_migrations)
#: Every state of the schema that an installation may come from, but for the empty one.
EARLIER: Final = [
    (app, name) for app in _APPS for name in [name for of, name in _ON_DISK if of == app][:-1]
]
LATEST: Final = EARLIER[[app for app, _ in EARLIER].count("apikeys") - 1]


@dataclass(frozen=True, slots=True)
class Old:
    """A key as an earlier state of the schema holds it."""

    id: Any
    secret: str


def _apps() -> StateApps:
    """The models as the migrations that are applied know them."""
    loader = MigrationExecutor(connection).loader
    applied = [node for node in loader.applied_migrations if node in loader.graph.nodes]
    return loader.project_state(applied).apps


def _migrate(app: str = "", name: str = "") -> None:
    target = [app, name] if app else []
    call_command("migrate", *target, verbosity=0, interactive=False)


@contextmanager
def _going_back(app: str, name: str) -> Iterator[None]:
    """Whatever happens, the other tests find the schema of today."""
    _migrate(app, name)
    try:
        yield
    finally:
        _migrate()


def _make(organization: Organization) -> list[Old]:
    """`KEYS` keys by the models of then, with the digests that verification has always read."""
    apps, peppers = _apps(), settings.API_KEY_PEPPERS
    keys, secrets = apps.get_model("apikeys", "ApiKey"), apps.get_model("apikeys", "ApiKeySecret")
    made: list[Old] = []
    rows = []
    for number in range(KEYS):
        secret = tokens.generate("sig", tokens.Environment.LIVE)
        key = keys(
            organization_id=organization.pk,
            name=f"Old {number}",
            name_key=name_key(f"Old {number}"),
            scopes=["search:read"],
        )
        rows.append((key, secret))
        made.append(Old(key.pk, secret))
    keys.objects.bulk_create([key for key, _ in rows], batch_size=500)
    secrets.objects.bulk_create(
        [
            secrets(
                key_id=key.pk,
                digest=peppers.digest(secret, peppers.newest),
                pepper=peppers.newest,
                prefix=tokens.displayed_prefix(secret),
            )
            for key, secret in rows
        ],
        batch_size=500,
    )
    return made


def _rows() -> list[Any]:
    """All that the schema of the moment holds about keys and their secrets."""
    return [
        [
            {name: bytes(v) if isinstance(v, memoryview) else v for name, v in row.items()}
            for row in _apps().get_model("apikeys", model).objects.order_by("pk").values()
        ]
        for model in ("ApiKey", "ApiKeySecret")
    ]


def _refused(old: list[Old]) -> list[Old]:
    """Those that do not open what they have opened."""
    return [one for one in old if not _opens(one)]


def _opens(one: Old) -> bool:
    outcome = verify(one.secret)
    return outcome.refusal is None and outcome.found is not None and outcome.found.key_id == one.id


@pytest.mark.parametrize(("app", "name"), EARLIER)
def test_keys_work_after_an_upgrade_from_any_state_and_come_back_unchanged(
    committed: None, acme: Organization, app: str, name: str
) -> None:
    with _going_back(app, name):
        old = _make(acme)
        before = _rows()
        _migrate()
        refused = _refused(old)
        _migrate(app, name)
        back = _rows()

    assert refused == []
    assert back == before
    assert _refused(old) == [], "after the second time"
    assert _is_guarded(), "the triggers are back"
    assert len(old) == KEYS == len(before[0])


def _is_guarded() -> bool:
    """Whether the database itself refuses to bring a revoked key back."""
    keys = _apps().get_model("apikeys", "ApiKey").objects.all()
    keys.update(revoked_at=timezone.now())
    try:
        keys.update(revoked_at=None)
    except IntegrityError:
        return True
    return False


def test_the_comparison_notices_a_key_that_was_lost(committed: None, acme: Organization) -> None:
    old = _make(acme)
    _apps().get_model("apikeys", "ApiKeySecret").objects.filter(key_id=old[0].id).delete()

    assert _refused(old) == old[:1]


def test_a_running_server_lets_in_while_the_latest_migration_runs_forth_and_back(
    server: Server, acme: Organization, report: Callable[[str], None]
) -> None:
    """The code of today on the schema before its latest migration, as in a rollback."""
    old: list[Old] = []
    with _going_back(*LATEST):
        old += _make(acme)
        with Load(server.address, [one.secret for one in old], [CURRENT]) as load:
            for target in ((), LATEST, (), LATEST, ()):
                load.wait_for(CALLS, 200)
                _migrate(*target)
            load.wait_for(CALLS, 200)

    answers = Counter(call.status for call in load.calls)
    slowest = max(call.seconds for call in load.calls)
    report(
        f"upgrade, {connection.vendor}, {len(old):,} keys, 5 migrations: {answers[200]:,} calls"
        f" meanwhile, {answers.total() - answers[200]} of them refused, {slowest:.2f} s at most"
    )
    assert set(answers) == {200}, answers
    assert _refused(old) == []

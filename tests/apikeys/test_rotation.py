"""Rotating secrets."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued, rotation
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core.exceptions import Conflict, ErrorCode, Invalid
from organizations.models import AuditEvent
from tests.factories import SYSTEM
from tests.support.domain import every_row

Make = Callable[..., Issued]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, until the test moves on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def first(clock: time_machine.Traveller, make_key: Make) -> Issued:
    """A key made at noon."""
    return make_key(name="Crawler")


def _rotate(issued: Issued, grace: timedelta = HOUR, *, force: bool = False) -> Issued:
    return services.rotate_api_key(issued.key, actor=SYSTEM, grace_period=grace, force=force)


def _refusals(*issued: Issued) -> list[Refusal | None]:
    return [verify(one.secret).refusal for one in issued]


def test_a_rotation_keeps_the_key_and_changes_the_secret(first: Issued) -> None:
    second = _rotate(first)

    assert second.key.id == first.key.id
    assert second.secret != first.secret
    assert second.key.key_prefix == second.secret[:13]
    assert second.previous_ends_at == NOW + HOUR
    assert ApiKey.objects.count() == 1


def test_both_secrets_work_until_the_overlap_ends(
    first: Issued, clock: time_machine.Traveller
) -> None:
    second = _rotate(first)

    clock.shift(HOUR - timedelta(microseconds=1))
    during = _refusals(first, second)
    clock.shift(timedelta(microseconds=1))
    after = _refusals(first, second)

    assert during == [None, None]
    assert after == [Refusal.ROTATED, None]


def test_the_overlap_is_a_day_unless_told_otherwise(first: Issued) -> None:
    issued = services.rotate_api_key(first.key, actor=SYSTEM)

    assert issued.previous_ends_at == NOW + timedelta(days=1)


def test_without_grace_the_old_secret_ends_at_once(first: Issued) -> None:
    second = _rotate(first, timedelta(0))

    assert _refusals(first, second) == [Refusal.ROTATED, None]
    assert verify(first.secret).since == NOW


def test_a_key_without_an_overlap_can_be_rotated_again(first: Issued) -> None:
    second = _rotate(first, timedelta(0))
    third = _rotate(second, timedelta(0))

    assert _refusals(first, second, third) == [Refusal.ROTATED, Refusal.ROTATED, None]


@pytest.mark.parametrize("grace", [timedelta(0), timedelta(seconds=1), timedelta(days=7)])
def test_an_overlap_may_last_up_to_seven_days(grace: timedelta, first: Issued) -> None:
    assert _rotate(first, grace).previous_ends_at == NOW + grace


@pytest.mark.parametrize(
    "grace", [timedelta(seconds=-1), timedelta(days=7, seconds=1), timedelta(days=10**6)]
)
@pytest.mark.parametrize("force", [False, True])
def test_any_other_overlap_is_refused(grace: timedelta, force: bool, first: Issued) -> None:
    before = every_row()

    with pytest.raises(Invalid) as refusal:
        _rotate(first, grace, force=force)

    assert refusal.value.problems[0].field == "grace_period"
    assert every_row() == before


def test_while_an_overlap_runs_there_is_no_second_one(
    first: Issued, clock: time_machine.Traveller
) -> None:
    second = _rotate(first)
    clock.shift(HOUR - timedelta(seconds=1))
    before = every_row()

    with pytest.raises(Conflict, match="2026-11-21T13:00:00Z") as refusal:
        _rotate(second)

    assert refusal.value.code is ErrorCode.ROTATION_IN_PROGRESS
    assert every_row() == before


def test_an_overlap_ends_with_its_key(clock: time_machine.Traveller, make_key: Make) -> None:
    soon = NOW + timedelta(minutes=2)
    first = make_key(name="Crawler", expires_at=soon)

    second = _rotate(first, timedelta(days=1))
    with pytest.raises(Conflict, match="2026-11-21T12:02:00Z"):
        _rotate(second)

    assert second.previous_ends_at == soon
    event = AuditEvent.objects.get(event="api_key.rotated")
    assert event.details["previous_secret_ends_at"] == soon.isoformat()
    clock.shift(timedelta(minutes=2))
    assert _refusals(first, second) == [Refusal.EXPIRED, Refusal.EXPIRED]


def test_a_key_that_ends_earlier_after_all_ends_its_overlap(first: Issued) -> None:
    second = _rotate(first, timedelta(days=1))
    services.update_api_key(
        first.key, actor=SYSTEM, changes={"expires_at": NOW + timedelta(minutes=5)}
    )

    with pytest.raises(Conflict, match="2026-11-21T12:05:00Z"):
        _rotate(second)


def test_after_the_overlap_there_may_be_another(
    first: Issued, clock: time_machine.Traveller
) -> None:
    second = _rotate(first)
    clock.shift(HOUR)

    third = _rotate(second)

    assert _refusals(first, second, third) == [Refusal.ROTATED, None, None]


def test_force_ends_the_oldest_secret_at_once(first: Issued, clock: time_machine.Traveller) -> None:
    second = _rotate(first)
    clock.shift(timedelta(minutes=10))

    third = _rotate(second, force=True)

    assert _refusals(first, second, third) == [Refusal.ROTATED, None, None]
    assert verify(first.secret).since == NOW + timedelta(minutes=10)
    assert third.previous_ends_at == NOW + timedelta(minutes=10) + HOUR


def test_the_loser_of_a_race_is_told_so_even_with_force(first: Issued) -> None:
    """The current secret changes after the loser has read it and before it has the lock."""
    stale = first.key
    seen = stale.secrets.current().get()
    _rotate(first, timedelta(0))

    with pytest.raises(Conflict) as refusal:
        rotation._rotate(stale, seen, SYSTEM, HOUR, force=True)

    assert refusal.value.code is ErrorCode.ROTATION_IN_PROGRESS
    assert AuditEvent.objects.filter(event="api_key.rotated").count() == 1


def test_a_revoked_key_is_not_rotated(first: Issued) -> None:
    services.revoke_api_key(first.key, actor=SYSTEM)
    before = every_row()

    with pytest.raises(Conflict) as refusal:
        _rotate(first, force=True)

    assert refusal.value.code is ErrorCode.KEY_REVOKED
    assert every_row() == before


def test_an_expired_key_is_not_rotated(make_key: Make, clock: time_machine.Traveller) -> None:
    issued = make_key(expires_at=NOW + HOUR)
    clock.shift(HOUR)

    with pytest.raises(Conflict) as refusal:
        _rotate(issued)

    assert refusal.value.code is ErrorCode.KEY_EXPIRED


def test_a_disabled_key_is_rotated_and_stays_disabled(first: Issued) -> None:
    services.set_api_key_enabled(first.key, enabled=False, actor=SYSTEM)

    second = _rotate(first)

    assert _refusals(first, second) == [Refusal.DISABLED, Refusal.DISABLED]


def test_revoking_ends_both_secrets_of_an_overlap(first: Issued) -> None:
    """AB56: revocation overrides grace."""
    second = _rotate(first)

    services.revoke_api_key(first.key, actor=SYSTEM)

    assert _refusals(first, second) == [Refusal.REVOKED, Refusal.REVOKED]


def test_the_event_tells_the_new_prefix_and_the_end_of_the_old_secret(first: Issued) -> None:
    second = _rotate(first)

    event = AuditEvent.objects.get(event="api_key.rotated")
    assert event.details == {
        "prefix": second.key.key_prefix,
        "previous_secret_ends_at": "2026-11-21T13:00:00+00:00",
    }

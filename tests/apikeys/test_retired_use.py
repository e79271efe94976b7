"""Use of secrets that a rotation has retired."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine

from apikeys import services
from apikeys.services import Issued
from apikeys.verification.verify import verify
from core import ids
from core.actors import Actor
from organizations.models import AuditEvent
from tests.factories import SYSTEM
from tests.support.domain import acting, every_row

Make = Callable[..., Issued]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Noon, until the test moves on."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def retired(clock: time_machine.Traveller, issued: Issued) -> UUID:
    """The id of the secret that a rotation has ended."""
    services.rotate_api_key(issued.key, actor=SYSTEM, grace_period=timedelta(0))
    found = verify(issued.secret).found
    assert found
    return found.secret_id


@pytest.fixture
def user(issued: Issued) -> Actor:
    """Whoever holds the retired secret."""
    return acting(issued)


def _uses() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(event="api_key.retired_secret_used"))


def test_the_use_of_a_retired_secret_leaves_an_event(
    retired: UUID, issued: Issued, user: Actor
) -> None:
    services.record_retired_use(secret_id=retired, actor=user)

    (event,) = _uses()
    assert (event.actor_kind, event.target_id) == ("key", issued.key.id)
    assert event.details == {"prefix": issued.secret[:13]}
    assert event.ip == user.origin.ip


def test_a_stubborn_client_leaves_one_event_a_minute(
    retired: UUID, user: Actor, clock: time_machine.Traveller
) -> None:
    seen = []
    for _ in range(5):
        services.record_retired_use(secret_id=retired, actor=user)
        seen.append(len(_uses()))
        clock.shift(timedelta(seconds=30))

    assert seen == [1, 1, 2, 2, 3]


def test_every_retired_secret_is_counted_for_itself(
    retired: UUID, user: Actor, make_key: Make
) -> None:
    other = make_key(name="Other")
    services.rotate_api_key(other.key, actor=SYSTEM, grace_period=timedelta(0))
    found = verify(other.secret).found
    assert found

    services.record_retired_use(secret_id=retired, actor=user)
    services.record_retired_use(secret_id=found.secret_id, actor=acting(other))

    assert len(_uses()) == 2


def test_a_secret_that_does_not_exist_leaves_nothing(retired: UUID, user: Actor) -> None:
    before = every_row()

    services.record_retired_use(secret_id=ids.new_id(), actor=user)

    assert every_row() == before

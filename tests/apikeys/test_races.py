"""AB57 to AB59: of concurrent operations one wins, and a revoked key stays revoked."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from apikeys import services
from apikeys.models import ApiKey, ApiKeySecret, Status
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core.exceptions import Conflict, ErrorCode
from organizations.models import AuditEvent, Organization
from organizations.services import set_key_limit
from tests.factories import SYSTEM, IssuedKeyFactory, OrganizationFactory
from tests.support.domain import at_once

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def shared(committed: None) -> Issued:
    """A key that is committed, so that every thread sees it."""
    issued: Issued = IssuedKeyFactory.create(name="Shared")
    return issued


def _codes(outcomes: list[object]) -> list[ErrorCode]:
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    return [refusal.code for refusal in refusals if isinstance(refusal, Conflict)]


def _creates(organization: Organization, number: int) -> list[Callable[[], Issued]]:
    make = partial(services.create_api_key, organization=organization, actor=SYSTEM)
    return [partial(make, name=f"Key {place}") for place in range(number)]


def test_of_many_keys_of_one_name_one_is_made() -> None:
    organization = OrganizationFactory.create()

    outcomes = at_once(
        [
            lambda: services.create_api_key(organization=organization, actor=SYSTEM, name="Same"),
            lambda: services.create_api_key(organization=organization, actor=SYSTEM, name="SAME "),
        ]
        * 4
    )

    assert _codes(outcomes) == [ErrorCode.NAME_TAKEN] * 7
    assert ApiKey.objects.count() == 1
    assert AuditEvent.objects.filter(event="api_key.created").count() == 1


def test_of_many_keys_at_once_as_many_are_made_as_there_is_room_for() -> None:
    organization: Organization = OrganizationFactory.create()
    organization = set_key_limit(organization, limit=3, actor=SYSTEM)

    outcomes = at_once(_creates(organization, 16))

    assert _codes(outcomes) == [ErrorCode.KEY_LIMIT_REACHED] * 13
    assert len([outcome for outcome in outcomes if isinstance(outcome, Issued)]) == 3
    assert ApiKey.objects.count() == ApiKeySecret.objects.count() == 3
    assert AuditEvent.objects.filter(event="api_key.created").count() == 3


def test_a_create_beside_a_revocation_or_a_new_limit_never_goes_beyond_it(shared: Issued) -> None:
    organization = set_key_limit(shared.key.organization, limit=1, actor=SYSTEM)

    outcomes = at_once(
        [
            *_creates(organization, 6),
            lambda: services.revoke_api_key(shared.key, actor=SYSTEM),
            lambda: set_key_limit(organization, limit=2, actor=SYSTEM),
        ]
    )

    made = [outcome for outcome in outcomes if isinstance(outcome, Issued)]
    assert len(made) <= 2
    assert _codes(outcomes) == [ErrorCode.KEY_LIMIT_REACHED] * (6 - len(made))
    assert ApiKey.objects.unrevoked().count() == len(made)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("grace", [timedelta(0), timedelta(hours=1)])
def test_rotations_at_once_are_won_or_refused_and_leave_one_current_secret(
    grace: timedelta, force: bool, shared: Issued
) -> None:
    outcomes = at_once(
        [lambda: services.rotate_api_key(shared.key, actor=SYSTEM, grace_period=grace, force=force)]
        * 8
    )

    issued = [outcome for outcome in outcomes if isinstance(outcome, Issued)]
    assert len(issued) + len(_codes(outcomes)) == 8
    assert AuditEvent.objects.filter(event="api_key.rotated").count() == len(issued)
    assert ApiKeySecret.objects.current().count() == 1
    assert any(verify(one.secret).refusal is None for one in issued)


def test_whatever_happens_at_once_with_a_revocation_the_key_is_revoked(shared: Issued) -> None:
    key = shared.key

    outcomes = at_once(
        [
            lambda: services.revoke_api_key(key, actor=SYSTEM),
            lambda: services.rotate_api_key(key, actor=SYSTEM),
            lambda: services.update_api_key(key, actor=SYSTEM, changes={"name": "Else"}),
            lambda: services.set_api_key_enabled(key, enabled=False, actor=SYSTEM),
            lambda: services.revoke_api_key(key, actor=SYSTEM),
        ]
    )

    assert set(_codes(outcomes)) <= {ErrorCode.KEY_REVOKED, ErrorCode.ROTATION_IN_PROGRESS}
    assert ApiKey.objects.get().status is Status.REVOKED
    secrets = [shared.secret, *(o.secret for o in outcomes if isinstance(o, Issued))]
    assert {verify(secret).refusal for secret in secrets} == {Refusal.REVOKED}
    assert AuditEvent.objects.filter(event="api_key.revoked").count() == 1


def test_the_uses_of_a_retired_secret_at_once_leave_one_event(shared: Issued) -> None:
    services.rotate_api_key(shared.key, actor=SYSTEM, grace_period=timedelta(0))
    found = verify(shared.secret).found
    assert found

    outcomes = at_once(
        [lambda: services.record_retired_use(secret_id=found.secret_id, actor=SYSTEM)] * 8
    )

    assert outcomes == [None] * 8
    assert AuditEvent.objects.filter(event="api_key.retired_secret_used").count() == 1

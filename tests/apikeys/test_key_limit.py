"""AB59: an organization can't create more keys than its limit."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from pytest_django import Settings

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued, key_limit
from apikeys.verification.verify import verify
from core import transactions
from core.actors import Actor
from core.exceptions import Conflict, ErrorCode
from organizations import services as organization_services
from organizations.models import Organization, User
from tests.factories import SYSTEM
from tests.pages.support import add_many_keys
from tests.support.domain import acting, nothing_written

Make = Callable[..., Issued]


def limit(organization: Organization, keys: int | None) -> Organization:
    return organization_services.set_key_limit(organization, limit=keys, actor=SYSTEM)


def refused(make: Callable[[], object]) -> str:
    """The sentence with which no further key is made, and nothing at all is left."""
    with nothing_written(), pytest.raises(Conflict) as refusal:
        make()
    assert refusal.value.code is ErrorCode.KEY_LIMIT_REACHED
    assert not refusal.value.problems
    return refusal.value.message


def test_the_last_place_is_taken_and_then_there_is_none(
    acme: Organization, settings: Settings, make_key: Make
) -> None:
    settings.KEYS_PER_ORGANIZATION = 3
    for _ in range(3):
        make_key()

    message = refused(make_key)

    sentence = "This organization has reached its limit of 3 keys. Delete one to create another."
    assert message == sentence
    assert ApiKey.objects.count() == 3


@pytest.mark.parametrize(("keys", "said"), [(1, "1 key."), (1_000, "1,000 keys.")])
def test_the_limit_is_named(
    keys: int, said: str, acme: Organization, admin: User, make_key: Make
) -> None:
    add_many_keys(acme, admin, keys)
    acme = limit(acme, keys)

    assert f"its limit of {said} Delete" in refused(partial(make_key, organization=acme))


def test_without_a_limit_there_can_be_any_number(
    acme: Organization, admin: User, settings: Settings, make_key: Make
) -> None:
    settings.KEYS_PER_ORGANIZATION = 0
    add_many_keys(acme, admin, 1_001)

    make_key()

    assert ApiKey.objects.count() == 1_002


@pytest.mark.parametrize(
    ("usual", "own", "holds"),
    [(2, None, 2), (2, 4, 4), (4, 2, 2), (0, 2, 2), (2, 0, 0), (0, None, 0)],
)
def test_an_organizations_own_limit_comes_before_that_of_the_settings(
    usual: int, own: int | None, holds: int, acme: Organization, settings: Settings, make_key: Make
) -> None:
    settings.KEYS_PER_ORGANIZATION = usual
    acme = limit(acme, own)

    for _ in range(holds or 5):
        make_key(organization=acme)

    assert key_limit.limit_of(acme) == holds
    if holds:
        refused(partial(make_key, organization=acme))


def test_the_row_decides_and_not_what_the_caller_holds(acme: Organization, make_key: Make) -> None:
    stale = limit(acme, 1)
    make_key(organization=stale)
    limit(acme, 2)

    make_key(organization=stale)

    assert ApiKey.objects.count() == 2


def test_live_and_test_keys_count_together_whoever_makes_them(
    acme: Organization, admin: User, manager: Issued, tester: Issued, make_key: Make
) -> None:
    acme = limit(acme, 3)
    make_key(organization=acme, environment="test")

    for actor in (acting(manager), acting(tester), Actor.person(admin.id, "Ada")):
        refused(partial(make_key, organization=acme, actor=actor))


def test_disabled_and_expired_keys_count(acme: Organization, make_key: Make) -> None:
    acme = limit(acme, 2)
    services.set_api_key_enabled(make_key().key, enabled=False, actor=SYSTEM)
    expired = make_key().key
    with transactions.allowed():
        past = timezone.now() - timedelta(days=1)
        ApiKey.objects.filter(pk=expired.pk).update(expires_at=past)

    refused(partial(make_key, organization=acme))


def test_revoking_frees_a_place(acme: Organization, make_key: Make) -> None:
    acme = limit(acme, 1)
    for _ in range(3):
        key = make_key(organization=acme).key
        refused(partial(make_key, organization=acme))
        services.revoke_api_key(key, actor=SYSTEM)

    assert make_key(organization=acme).key.revoked_at is None
    assert ApiKey.objects.count() == 4


def test_keys_of_another_organization_take_no_place(
    acme: Organization, globex: Organization, settings: Settings, make_key: Make
) -> None:
    settings.KEYS_PER_ORGANIZATION = 1
    make_key(organization=globex)

    make_key(organization=acme)

    refused(partial(make_key, organization=acme))
    refused(partial(make_key, organization=globex))


def test_what_makes_no_key_goes_on_at_the_limit(acme: Organization, make_key: Make) -> None:
    key = make_key().key
    limit(acme, 1)

    rotated = services.rotate_api_key(key, actor=SYSTEM)
    services.set_api_key_enabled(key, enabled=False, actor=SYSTEM)
    services.set_api_key_enabled(key, enabled=True, actor=SYSTEM)
    services.update_api_key(key, actor=SYSTEM, changes={"name": "Renamed"})

    assert verify(rotated.secret).refusal is None


def test_an_organization_above_a_lowered_limit_keeps_its_keys_and_makes_no_more(
    acme: Organization, make_key: Make
) -> None:
    made = [make_key() for _ in range(4)]
    acme = limit(acme, 2)

    assert refused(partial(make_key, organization=acme)) == (
        "This organization may have 2 keys and has more than that. Delete keys until there are"
        " fewer than 2 to create another."
    )
    assert {verify(issued.secret).refusal for issued in made} == {None}

    for issued in made[:2]:
        services.revoke_api_key(issued.key, actor=SYSTEM)
        refused(partial(make_key, organization=acme))
    services.revoke_api_key(made[2].key, actor=SYSTEM)
    make_key(organization=acme)
    refused(partial(make_key, organization=acme))

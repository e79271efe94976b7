"""Querysets of keys."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from pytest_django import DjangoAssertNumQueries

from apikeys import services
from apikeys.models import ApiKey, ApiKeySecret, KeyTemplate, Status
from apikeys.services import Issued
from core.actors import Actor, ActorKind
from core.transactions import operation
from organizations.models import Organization, User
from organizations.roles import Role
from tests.factories import (
    SYSTEM,
    IssuedKeyFactory,
    MembershipFactory,
    ServiceAccountFactory,
    TemplateFactory,
)
from tests.support.domain import person

ActAs = Callable[[str], Actor]
Make = Callable[..., Issued]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STATES = list(
    product(
        [None, NOW - SECOND, NOW, NOW + SECOND],
        [None, NOW - SECOND, NOW, NOW + SECOND],
        [None, NOW - SECOND, NOW + SECOND],
    )
)


@pytest.fixture
def keys(acme: Organization, globex: Organization) -> None:
    """A live and a test key in both organizations, and a template."""
    for organization in (acme, globex):
        for environment in ("live", "test"):
            IssuedKeyFactory.create(
                organization=organization,
                environment=environment,
                name=f"{organization} {environment}",
            )
        TemplateFactory.create(organization=organization, name=f"{organization} preset")


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("admin", {"Acme live", "Acme test"}),
        ("member", {"Acme live", "Acme test"}),
        ("manager", {"Acme live", "Acme test", "Manager"}),
        ("reader", {"Acme live", "Acme test", "Reader"}),
        ("tester", {"Acme test", "Tester"}),
        ("outsider", {"Globex live", "Globex test"}),
        ("foreigner", {"Globex live", "Globex test", "Manager"}),
        ("staff", {"Acme live", "Acme test", "Globex live", "Globex test"}),
        ("system", {"Acme live", "Acme test", "Globex live", "Globex test"}),
    ],
)
def test_everybody_sees_the_keys_of_their_own_world(
    part: str, expected: set[str], act_as: ActAs
) -> None:
    assert {str(key) for key in ApiKey.objects.visible_to(act_as(part))} == expected


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("member", {"Acme preset"}),
        ("reader", {"Acme preset"}),
        ("tester", {"Acme preset"}),
        ("foreigner", {"Globex preset"}),
        ("staff", {"Acme preset", "Globex preset"}),
    ],
)
def test_everybody_sees_the_templates_of_their_own_organization(
    part: str, expected: set[str], act_as: ActAs
) -> None:
    assert {str(found) for found in KeyTemplate.objects.visible_to(act_as(part))} == expected


@pytest.mark.usefixtures("keys")
def test_a_deactivated_person_sees_no_key(admin: User) -> None:
    admin.is_active = False
    admin.save()

    assert not ApiKey.objects.visible_to(person(admin)).exists()


@pytest.mark.usefixtures("keys")
def test_a_member_of_two_organizations_sees_the_keys_of_both(
    globex: Organization, admin: User
) -> None:
    MembershipFactory.create(organization=globex, user=admin, role=Role.MEMBER)

    assert ApiKey.objects.visible_to(person(admin)).count() == 4
    assert ApiKey.objects.visible_to(person(admin)).for_organization(globex.id).count() == 2


@pytest.mark.usefixtures("keys")
def test_a_key_of_no_organization_sees_no_key() -> None:
    stray = Actor(kind=ActorKind.KEY, label="Stray", environment="live")

    assert not ApiKey.objects.visible_to(stray).exists()


def _status(key: ApiKey, now: datetime) -> str:
    """The rule written out, apart from the table that the product makes both forms from."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return "active" if key.disabled_at is None else "disabled"


@pytest.mark.parametrize("now", [NOW - SECOND, NOW, NOW + SECOND])
def test_the_status_in_sql_is_the_status_in_python(now: datetime, acme: Organization) -> None:
    with operation():
        ApiKey.objects.bulk_create(
            ApiKey(
                organization=acme,
                name=str(number),
                name_key=str(number),
                revoked_at=revoked,
                expires_at=expires,
                disabled_at=disabled,
            )
            for number, (revoked, expires, disabled) in enumerate(STATES)
        )

    found = {
        status: {key.pk for key in ApiKey.objects.with_status(status, now)} for status in Status
    }

    keys = list(ApiKey.objects.all())
    assert [key.status_at(now) for key in keys] == [_status(key, now) for key in keys]
    assert found == {
        status: {key.pk for key in keys if _status(key, now) == status} for status in Status
    }
    assert sum(map(len, found.values())) == len(STATES)
    assert all(found.values())


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(ValueError, match="ended"):
        ApiKey.objects.with_status("ended", NOW)


def test_live_keys_are_those_that_are_not_revoked(issued: Issued, make_key: Make) -> None:
    services.revoke_api_key(make_key().key, actor=SYSTEM)
    services.set_api_key_enabled(issued.key, enabled=False, actor=SYSTEM)

    assert list(ApiKey.objects.unrevoked()) == [issued.key]


@pytest.mark.parametrize("count", [1, 10])
def test_showing_keys_takes_two_queries_however_many_they_are(
    count: int,
    acme: Organization,
    make_key: Make,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """One for the keys with organization and service account, one for their current secrets."""
    account = ServiceAccountFactory.create(organization=acme)
    made = [make_key(service_account=account) for _ in range(count)]
    services.rotate_api_key(made[0].key, actor=SYSTEM)

    with django_assert_num_queries(2):
        shown = {
            (str(key.organization), str(key.service_account), len(key.key_prefix))
            for key in ApiKey.objects.for_display()
        }

    assert shown == {("Acme", str(account), 13)}


def test_overlapping_secrets_are_older_ones_that_still_verify(issued: Issued) -> None:
    services.rotate_api_key(issued.key, actor=SYSTEM, grace_period=timedelta(hours=1))
    old = ApiKeySecret.objects.exclude(ends_at=None).get()
    assert old.ends_at

    before = ApiKeySecret.objects.overlapping(old.ends_at - SECOND)
    after = ApiKeySecret.objects.overlapping(old.ends_at)

    assert (list(before), list(after)) == ([old], [])
    assert ApiKeySecret.objects.current().get() != old

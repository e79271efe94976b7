"""Deleting a service account: only without keys, for good, and with its history kept."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from core.exceptions import Conflict, Forbidden, Invalid, NotFound
from organizations import services as organization_services
from organizations.models import AuditEvent, Organization, ServiceAccount, User
from tests.factories import SYSTEM, OrganizationFactory, ServiceAccountFactory
from tests.support.domain import actor_called, at_once, nothing_written


@pytest.fixture
def robot(acme: Organization) -> ServiceAccount:
    """A service account of Acme without keys."""
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme, name="Robot")
    return account


def test_one_without_keys_is_deleted_for_good(robot: ServiceAccount, acme: Organization) -> None:
    services.delete_service_account(robot, actor=SYSTEM)

    assert not ServiceAccount.objects.undeleted().exists()
    for change in (
        partial(organization_services.set_service_account_enabled, robot, enabled=True),
        partial(organization_services.update_service_account, robot, name="Other", description=""),
        partial(services.delete_service_account, robot),
    ):
        with nothing_written(), pytest.raises(NotFound):
            change(actor=SYSTEM)
    with nothing_written(), pytest.raises(Invalid):
        # The account as it was read before it was deleted.
        services.create_api_key(organization=acme, actor=SYSTEM, name="New", service_account=robot)


def test_its_name_can_be_used_again(robot: ServiceAccount, acme: Organization) -> None:
    services.delete_service_account(robot, actor=SYSTEM)

    new = organization_services.create_service_account(acme, name="ROBOT", actor=SYSTEM)

    assert new.enabled
    assert new.pk != robot.pk


@pytest.mark.parametrize("state", ["active", "disabled", "expired"])
def test_one_with_a_key_stays(
    robot: ServiceAccount, make_key: Callable[..., Issued], state: str
) -> None:
    key = make_key(name="Import", service_account=robot).key
    if state == "disabled":
        services.set_api_key_enabled(key, enabled=False, actor=SYSTEM)
    if state == "expired":
        with transactions.allowed():
            past = timezone.now() - timedelta(days=1)
            ApiKey.objects.filter(pk=key.pk).update(expires_at=past)

    with nothing_written(), pytest.raises(Conflict) as refusal:
        services.delete_service_account(robot, actor=SYSTEM)

    assert refusal.value.message == "“Robot” still has 1 key. Delete it first."


def test_how_many_keys_it_has_is_said(
    robot: ServiceAccount, make_key: Callable[..., Issued]
) -> None:
    revoked, *_ = [make_key(name=f"Key {n}", service_account=robot).key for n in range(3)]
    services.revoke_api_key(revoked, actor=SYSTEM)

    with pytest.raises(Conflict) as refusal:
        services.delete_service_account(robot, actor=SYSTEM)

    assert refusal.value.message == "“Robot” still has 2 keys. Delete them first."


def test_its_revoked_keys_and_its_events_stay(
    robot: ServiceAccount, make_key: Callable[..., Issued], as_admin: Actor
) -> None:
    key = make_key(name="Import", service_account=robot).key
    services.revoke_api_key(key, actor=SYSTEM)

    services.delete_service_account(robot, actor=as_admin)

    key.refresh_from_db()
    assert key.service_account == robot
    events = AuditEvent.objects.about(robot.pk)
    assert [event.event for event in events] == [
        "service_account.deleted",
        "service_account.created",
    ]
    assert events[0].actor_label == "Ada Acme"
    assert events[0].target_label == "Robot"


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ("member", Forbidden),
        ("manager", Forbidden),
        ("outsider", NotFound),
        ("foreigner", NotFound),
    ],
)
def test_only_admins_and_staff_may(
    robot: ServiceAccount, request: pytest.FixtureRequest, part: str, error: type[Exception]
) -> None:
    actor = actor_called(part, request)

    with nothing_written(), pytest.raises(error):
        services.delete_service_account(robot, actor=actor)


@pytest.mark.parametrize("part", ["admin", "staff", "system"])
def test_admins_staff_and_the_system_may(
    robot: ServiceAccount, request: pytest.FixtureRequest, part: str
) -> None:
    services.delete_service_account(robot, actor=actor_called(part, request))

    assert not ServiceAccount.objects.undeleted().exists()


def test_a_deactivated_admin_finds_nothing_any_more(
    robot: ServiceAccount, admin: User, as_admin: Actor
) -> None:
    admin.is_active = False
    admin.save()

    with nothing_written(), pytest.raises(NotFound):
        services.delete_service_account(robot, actor=as_admin)


def test_the_database_keeps_no_deleted_one_enabled(robot: ServiceAccount) -> None:
    rows = ServiceAccount.objects.filter(pk=robot.pk)

    with pytest.raises(IntegrityError), transaction.atomic(), transactions.allowed():
        rows.update(deleted_at=timezone.now())


@pytest.mark.usefixtures("committed")
def test_of_a_deletion_and_keys_created_at_the_same_time_one_side_wins() -> None:
    acme: Organization = OrganizationFactory.create()
    robot: ServiceAccount = ServiceAccountFactory.create(organization=acme)

    def create(name: str) -> Any:
        return services.create_api_key(
            organization=acme, actor=SYSTEM, name=name, service_account=robot
        )

    outcomes = at_once(
        [
            *(partial(create, f"Key {n}") for n in range(4)),
            lambda: services.delete_service_account(robot, actor=SYSTEM),
        ]
    )

    deleted = not ServiceAccount.objects.undeleted().exists()
    *created, deletion = outcomes
    expected = (Invalid, ServiceAccount) if deleted else (Issued, Conflict)
    assert {type(outcome) for outcome in created} == {expected[0]}
    assert isinstance(deletion, expected[1])
    assert ApiKey.objects.count() == (0 if deleted else 4)

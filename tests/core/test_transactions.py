"""Operations and guarded models."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection

from core import transactions
from core.exceptions import Conflict, ErrorCode
from core.sqlite_writers import write_lock
from core.transactions import GuardedModel, WriteOutsideService
from organizations.models import Membership, Organization, ServiceAccount, User
from tests.factories import ServiceAccountFactory
from tests.support.domain import GUARDED, every_row

WRITES: dict[str, Callable[[Any], Any]] = {
    "save": lambda model: model().save(),
    "delete": lambda model: model().delete(),
    "create": lambda model: model.objects.create(),
    "bulk create": lambda model: model.objects.bulk_create([model()]),
    "bulk update": lambda model: model.objects.bulk_update([model()], ["id"]),
    "update": lambda model: model.objects.update(id=None),
    "update some": lambda model: model.objects.filter(pk=None).update(pk=None),
    "delete all": lambda model: model.objects.all().delete(),
    "get or create": lambda model: model.objects.get_or_create(pk=model().pk),
    "update or create": lambda model: model.objects.update_or_create(pk=model().pk),
}


def test_everything_but_people_is_guarded() -> None:
    assert {model.__name__ for model in GUARDED} == {
        "ApiKey",
        "ApiKeySecret",
        "AuditEvent",
        "Erasure",
        "Invitation",
        "KeyTemplate",
        "Membership",
        "Organization",
        "ServiceAccount",
        "Submission",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("way", WRITES)
@pytest.mark.parametrize("model", GUARDED)
def test_a_guarded_model_refuses_every_write_outside_an_operation(
    model: type[GuardedModel], way: str
) -> None:
    with pytest.raises(
        WriteOutsideService, match=f"{model.__name__} can only be written by services"
    ):
        WRITES[way](model)


def test_related_managers_are_guarded_too(acme: Organization) -> None:
    with pytest.raises(WriteOutsideService):
        acme.memberships.update(role="member")

    with pytest.raises(WriteOutsideService):
        acme.service_accounts.create(name="Robot")


def test_the_guard_closes_again_after_an_operation_that_failed(acme: Organization) -> None:
    with pytest.raises(RuntimeError, match="broken"), transactions.operation():
        raise RuntimeError("broken")

    with pytest.raises(WriteOutsideService):
        acme.save()


def test_an_operation_within_an_operation_leaves_the_outer_one_open(acme: Organization) -> None:
    with transactions.operation():
        with transactions.operation():
            pass
        acme.name = "Changed"
        acme.save()

    acme.refresh_from_db()
    assert acme.name == "Changed"


def test_an_operation_that_fails_takes_its_writes_back(acme: Organization) -> None:
    @transactions.operation()
    def rename_and_fail() -> None:
        acme.name = "Changed"
        acme.save()
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        rename_and_fail()

    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_an_operation_may_write_in_bulk(acme: Organization) -> None:
    acme.name = "Changed"

    with transactions.operation():
        changed = Organization.objects.bulk_update([acme], ["name"])

    acme.refresh_from_db()
    assert (changed, acme.name) == (1, "Changed")


def test_one_threads_operation_opens_nothing_for_another() -> None:
    refusals: list[Exception] = []

    def write() -> None:
        try:
            Organization().save()
        except WriteOutsideService as refusal:
            refusals.append(refusal)

    with transactions.allowed():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()

    assert len(refusals) == 1


def test_losing_a_race_for_a_name_leaves_the_transaction_usable(acme: Organization) -> None:
    ServiceAccountFactory.create(organization=acme, name="Robot")
    refusal = Conflict("Taken.", code=ErrorCode.NAME_TAKEN)

    with transactions.operation():
        with (
            pytest.raises(Conflict) as raised,
            transactions.conflict_on("one_service_account_per_name", "name_key", refusal),
        ):
            ServiceAccount.objects.create(organization=acme, name="Robot", name_key="robot")
        found = ServiceAccount.objects.count()

    assert raised.value is refusal
    assert found == 1


def test_another_violation_is_no_conflict(acme: Organization, admin: User) -> None:
    before = every_row()

    with (
        pytest.raises(IntegrityError, match="role_is_known"),
        transactions.operation(),
        transactions.conflict_on("one_membership_per_person", "user_id", Conflict("Taken.")),
    ):
        Membership.objects.filter(user=admin).update(role="owner")

    assert every_row() == before


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases queue their writers")
def test_threads_take_turns_and_whoever_does_not_wait_goes_without(committed: None) -> None:
    turns: list[bool] = []

    def ask() -> None:
        with write_lock(wait=False) as mine:
            turns.append(mine)

    with write_lock():
        other = threading.Thread(target=ask)
        other.start()
        other.join()
    ask()

    assert turns == [False, True]

"""Services for service accounts."""

import pytest

from core.exceptions import Conflict, ErrorCode, Invalid
from organizations import services
from organizations.models import AuditEvent, Organization, ServiceAccount, User
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.domain import every_row, person


@pytest.fixture
def robot(acme: Organization) -> ServiceAccount:
    """A service account of Acme."""
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme, name="Robot")
    return account


def test_a_new_service_account_remembers_who_made_it(acme: Organization, admin: User) -> None:
    account = services.create_service_account(
        acme, name=" Robot ", description=" Runs at night. ", actor=person(admin)
    )

    account.refresh_from_db()
    assert (account.name, account.description) == ("Robot", "Runs at night.")
    assert account.created_by == admin
    assert account.enabled


@pytest.mark.parametrize("name", ["Robot", "ROBOT", "  robot "])
def test_a_name_is_taken_whatever_its_case(name: str, robot: ServiceAccount) -> None:
    before = every_row()

    with pytest.raises(Conflict) as refusal:
        services.create_service_account(robot.organization, name=name, actor=SYSTEM)

    assert refusal.value.code is ErrorCode.NAME_TAKEN
    assert every_row() == before


def test_another_organization_may_use_the_same_name(
    robot: ServiceAccount, globex: Organization
) -> None:
    other = services.create_service_account(globex, name="Robot", actor=SYSTEM)

    assert other.name == robot.name


def test_a_service_account_cannot_take_the_name_of_another(robot: ServiceAccount) -> None:
    other = ServiceAccountFactory.create(organization=robot.organization, name="Other")

    with pytest.raises(Conflict) as refusal:
        services.update_service_account(other, name="robot", description="", actor=SYSTEM)

    assert refusal.value.code is ErrorCode.NAME_TAKEN
    other.refresh_from_db()
    assert other.name == "Other"


def test_a_service_account_may_change_the_case_of_its_name(robot: ServiceAccount) -> None:
    services.update_service_account(robot, name="ROBOT", description="", actor=SYSTEM)

    robot.refresh_from_db()
    assert robot.name == "ROBOT"
    assert AuditEvent.objects.latest("id").details == {"name": ["Robot", "ROBOT"]}


def test_a_description_with_a_control_character_is_refused(robot: ServiceAccount) -> None:
    with pytest.raises(Invalid) as refusal:
        services.update_service_account(robot, name="Robot", description="\x00", actor=SYSTEM)

    assert refusal.value.problems[0].field == "description"


def test_a_service_account_is_disabled_and_enabled_again(robot: ServiceAccount) -> None:
    disabled = services.set_service_account_enabled(robot, enabled=False, actor=SYSTEM)
    was_enabled = disabled.enabled
    enabled = services.set_service_account_enabled(robot, enabled=True, actor=SYSTEM)

    assert not was_enabled
    assert enabled.enabled
    names = AuditEvent.objects.order_by("id").values_list("event", flat=True)
    assert list(names)[-2:] == ["service_account.disabled", "service_account.enabled"]

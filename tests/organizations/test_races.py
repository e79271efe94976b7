"""Of two concurrent operations, the loser gets an error, and the rules hold."""

from collections.abc import Callable
from functools import partial

import pytest

from core.exceptions import Conflict
from organizations import services
from organizations.models import AuditEvent, Membership, Organization, ServiceAccount
from organizations.roles import Role
from tests.factories import SYSTEM, MembershipFactory, OrganizationFactory
from tests.support.domain import at_once

pytestmark = pytest.mark.usefixtures("committed")


@pytest.mark.parametrize(
    "leave",
    [
        lambda membership: services.remove_member(membership, actor=SYSTEM),
        lambda membership: services.change_role(membership, role=Role.MEMBER, actor=SYSTEM),
    ],
)
def test_admins_who_all_leave_at_once_leave_one_behind(
    leave: Callable[[Membership], object],
) -> None:
    """AB18."""
    acme: Organization = OrganizationFactory.create()
    for _ in range(3):
        MembershipFactory.create(organization=acme, role=Role.ADMIN)
    admins = list(Membership.objects.select_related("organization"))

    outcomes = at_once([partial(leave, admin) for admin in admins])

    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [Conflict]
    assert Membership.objects.filter(role=Role.ADMIN).count() == 1


def test_of_many_service_accounts_of_one_name_one_is_made() -> None:
    acme: Organization = OrganizationFactory.create()

    outcomes = at_once(
        [lambda: services.create_service_account(acme, name="Robot", actor=SYSTEM)] * 6
    )

    refusals = [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)]
    assert refusals == [Conflict] * 5
    assert ServiceAccount.objects.count() == 1
    assert AuditEvent.objects.filter(event="service_account.created").count() == 1

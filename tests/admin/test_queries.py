"""Lists run the same number of queries for fifty rows as for one."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apikeys.models import ApiKey, KeyTemplate
from organizations.models import AuditEvent, Membership, Organization, ServiceAccount, User
from tests.admin.support import page
from tests.factories import (
    IssuedKeyFactory,
    MembershipFactory,
    OrganizationFactory,
    ServiceAccountFactory,
    TemplateFactory,
    UserFactory,
)

#: Session and user; then the page's count, the whole count where it is shown, and the rows. Keys
#: add their prefixes, organizations and audit events the values of a filter.
COSTS: list[tuple[type[Model], Callable[[], object], int]] = [
    (ApiKey, IssuedKeyFactory.create, 5),
    (KeyTemplate, TemplateFactory.create, 5),
    (Organization, OrganizationFactory.create, 6),
    (Membership, MembershipFactory.create, 5),
    (ServiceAccount, ServiceAccountFactory.create, 5),
    (User, UserFactory.create, 5),
    (AuditEvent, ServiceAccountFactory.create, 5),
]


@pytest.mark.parametrize(("model", "make", "cost"), COSTS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_list_costs_the_same_however_long(
    browser: Client, model: type[Model], make: Callable[[], object], cost: int
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page(model)).status_code == 200
        return len(queries)

    make()
    one = count()
    for _ in range(49):
        make()

    assert [one, count()] == [cost, cost]

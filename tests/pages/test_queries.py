"""The number of queries of a page doesn't grow with the organization's data."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from organizations.models import Organization, User
from tests.factories import (
    InvitationFactory,
    MembershipFactory,
    OrganizationFactory,
    ServiceAccountFactory,
    TemplateFactory,
)
from tests.pages.support import add_many_keys
from tests.pages.world import PAGES, Address

#: The most that a page may ask; the list of keys, which asks most, and others are pinned elsewhere.
MOST = 12


def _queries(browser: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        browser.get(address)
    return len(queries)


def _grow(acme: Organization, admin: User, member: User) -> None:
    """Much of everything, and 10,000 keys, made by the person whose removal lists them."""
    for _ in range(20):
        MembershipFactory.create(organization=acme)
        InvitationFactory.create(organization=acme)
        TemplateFactory.create(organization=acme)
        ServiceAccountFactory.create(organization=acme)
    for _ in range(5):
        OrganizationFactory.create(admin=admin)
    add_many_keys(acme, member, 10_000, start=1)


def test_every_page(
    browser: Client, acme: Organization, admin: User, member: User, address: Address
) -> None:
    addresses = [address(app, name) for app, name in PAGES] + ["/", "/organizations/new/"]
    add_many_keys(acme, member, 1)
    few = {address: _queries(browser, address) for address in addresses}

    _grow(acme, admin, member)

    many = {address: _queries(browser, address) for address in addresses}
    assert {address: number for address, number in many.items() if number > few[address]} == {}
    assert max(many.values()) <= MOST, many

"""User input is escaped on every page of the admin."""

import pytest
from django.contrib import admin
from django.test import Client

from apikeys.models import ApiKey
from apikeys.services import Issued
from core import ids, transactions
from organizations.models import Follower, Organization
from organizations.services import rename_organization
from tests.admin.support import NASTY, act, page, text
from tests.factories import (
    SYSTEM,
    InvitationFactory,
    IssuedKeyFactory,
    OrganizationFactory,
    ServiceAccountFactory,
    TemplateFactory,
    UserFactory,
)


@pytest.fixture
def nasty(db: None) -> ApiKey:
    """A key of which everything that others could write is markup."""
    person = UserFactory.create(email="eve@example.com", name=NASTY)
    organization = OrganizationFactory.create(name=NASTY, admin=person)
    robot = ServiceAccountFactory.create(
        organization=organization, name=NASTY, description=NASTY, actor=SYSTEM
    )
    TemplateFactory.create(organization=organization, name=NASTY, description=NASTY)
    InvitationFactory.create(organization=organization)
    Follower.objects.create(id=ids.new_id(), number=0, lease=1, process=NASTY)
    issued: Issued = IssuedKeyFactory.create(
        organization=organization,
        name=NASTY,
        description=NASTY,
        metadata={"cost": NASTY},
        service_account=robot,
    )
    with transactions.allowed():
        ApiKey.objects.filter(pk=issued.key.pk).update(
            last_used_user_agent=NASTY, created_by=person
        )
    return issued.key


def assert_harmless(shown: str) -> None:
    assert "alert(1)" in shown, "the text is not on the page at all"
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda m: m.__name__)
def test_on_lists_and_objects(browser: Client, nasty: ApiKey, model: type[ApiKey]) -> None:
    row = model._default_manager.filter(pk=nasty.pk).first() or model._default_manager.last()
    browser.post(page(nasty.organization, "change"), {"name": NASTY}, HTTP_USER_AGENT=NASTY)
    assert row

    assert_harmless(text(browser.get(page(model))))
    if model.__name__ != "User":
        assert_harmless(text(browser.get(page(row, "change"))))


def test_on_a_persons_page(browser: Client, nasty: ApiKey) -> None:
    person = ApiKey.objects.get().created_by
    assert person

    assert_harmless(text(browser.get(page(person, "change"))))


def test_on_the_page_that_asks_before_revoking(browser: Client, nasty: ApiKey) -> None:
    assert_harmless(text(act(browser, "revoke", nasty)))


def test_on_the_page_that_refuses_a_reason(browser: Client, nasty: ApiKey) -> None:
    assert_harmless(text(act(browser, "revoke", nasty, confirmed="yes", reason=NASTY * 20)))


def test_in_messages(browser: Client, nasty: ApiKey) -> None:
    act(browser, "revoke", nasty, confirmed="yes", reason=NASTY)

    assert_harmless(text(act(browser, "revoke", nasty, confirmed="yes", reason=NASTY)))


def test_on_the_page_with_the_secret(browser: Client, nasty: ApiKey) -> None:
    sent = {"organization": nasty.organization_id, "name": f"2 {NASTY}", "environment": "live"}

    assert_harmless(text(browser.post(page(ApiKey, "add"), {**sent, "scopes": ["search:read"]})))


def test_on_the_form_that_comes_back(browser: Client, nasty: ApiKey) -> None:
    sent = {"organization": nasty.organization_id, "name": NASTY, "environment": "live"}

    response = browser.post(page(ApiKey, "add"), {**sent, "scopes": ["search:read"]})

    assert "already exists" in text(response)
    assert_harmless(text(response))


def test_after_saving(browser: Client, acme: Organization) -> None:
    rename_organization(acme, name=NASTY, actor=SYSTEM)
    sent = {"name": f"{NASTY}2", "api_access_enabled": "on", "rate_limit_tier": "standard"}

    assert_harmless(text(browser.post(page(acme, "change"), sent, follow=True)))


def test_in_the_search_box(browser: Client, nasty: ApiKey) -> None:
    assert_harmless(text(browser.get(page(ApiKey), {"q": NASTY})))

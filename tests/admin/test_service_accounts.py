"""Service accounts in the staff admin."""

from typing import Any

import pytest
from django.test import Client

from organizations.models import Organization, ServiceAccount, User
from tests.admin.support import act, change, everything, messages, only_event, page, text
from tests.factories import SYSTEM, IssuedKeyFactory, ServiceAccountFactory

ADD = "/admin/organizations/serviceaccount/add/"


@pytest.fixture
def robot(acme: Organization) -> ServiceAccount:
    made: ServiceAccount = ServiceAccountFactory.create(organization=acme, name="Robot")
    return made


def sent(**changes: Any) -> dict[str, Any]:
    return {"name": "Robot", "description": "", "enabled": "on", **changes}


def test_one_is_created(browser: Client, staff: User, acme: Organization) -> None:
    browser.post(ADD, sent(organization=acme.pk, description="Imports."))

    made = ServiceAccount.objects.get()
    assert (made.organization, made.name, made.description) == (acme, "Robot", "Imports.")
    assert made.created_by == staff
    assert only_event("service_account.created", staff).target_id == made.pk


def test_a_taken_name_is_refused_on_the_form(browser: Client, robot: ServiceAccount) -> None:
    before = everything()

    response = browser.post(ADD, sent(organization=robot.organization_id, name="ROBOT"))

    assert response.status_code == 200
    assert "A service account named “ROBOT” already exists." in text(response)
    assert 'value="ROBOT"' in text(response)
    assert everything() == before


def test_its_texts_are_changed(browser: Client, staff: User, robot: ServiceAccount) -> None:
    browser.post(change(robot), sent(name="Android", description="Walks."))

    robot.refresh_from_db()
    assert (robot.name, robot.description) == ("Android", "Walks.")
    only_event("service_account.updated", staff)


def test_it_is_disabled_on_its_page(browser: Client, staff: User, robot: ServiceAccount) -> None:
    browser.post(change(robot), {"name": "Robot", "description": ""})

    robot.refresh_from_db()
    assert not robot.enabled
    only_event("service_account.disabled", staff)


def test_its_page_shows_whether_it_is_enabled(browser: Client, robot: ServiceAccount) -> None:
    on = browser.get(change(robot)).context["adminform"].form.initial["enabled"]
    act(browser, "disable", robot)
    off = browser.get(change(robot)).context["adminform"].form.initial["enabled"]

    assert (on, off) == (True, False)


def test_it_stays_in_its_organization(
    browser: Client, robot: ServiceAccount, globex: Organization
) -> None:
    browser.post(change(robot), sent(organization=globex.pk, created_by="", disabled_at="2001"))

    assert ServiceAccount.objects.get().organization == robot.organization


def test_several_are_disabled(browser: Client, robot: ServiceAccount) -> None:
    other = ServiceAccountFactory.create(organization=robot.organization, actor=SYSTEM)

    response = act(browser, "disable", robot, other)

    assert messages(response) == ["Disabled service accounts: 2."]
    assert not any(account.enabled for account in ServiceAccount.objects.all())


def test_a_disabled_one_is_enabled(browser: Client, robot: ServiceAccount) -> None:
    act(browser, "disable", robot)

    response = act(browser, "enable", robot)

    robot.refresh_from_db()
    assert robot.enabled
    assert messages(response)[-1] == "Enabled service accounts: 1."


def test_it_is_found_by_its_public_id(browser: Client, robot: ServiceAccount) -> None:
    ServiceAccountFactory.create()

    response = browser.get(page(ServiceAccount), {"q": robot.public_id})

    assert list(response.context["cl"].queryset) == [robot]


def test_those_without_keys_are_deleted(
    browser: Client, staff: User, robot: ServiceAccount
) -> None:
    other = ServiceAccountFactory.create(organization=robot.organization, name="Busy")
    IssuedKeyFactory.create(organization=robot.organization, service_account=other)

    response = act(browser, "remove", robot, other)

    assert messages(response) == [
        "Busy: “Busy” still has 1 key. Delete it first.",
        "Deleted service accounts: 1.",
    ]
    assert only_event("service_account.deleted", staff).target_id == robot.pk
    assert list(browser.get(page(ServiceAccount)).context["cl"].queryset) == [other]
    assert browser.get(change(robot)).status_code == 302


def test_a_deleted_one_gets_no_key_from_staff(browser: Client, robot: ServiceAccount) -> None:
    act(browser, "remove", robot)
    fields = {"organization": robot.organization_id, "name": "New", "environment": "live"}
    fields |= {"scopes": ["search:read"], "service_account": robot.public_id}

    response = browser.post("/admin/apikeys/apikey/add/", fields)

    assert "Unknown service account ID." in text(response)

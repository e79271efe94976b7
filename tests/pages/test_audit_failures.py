"""A page whose change can't be recorded shows an error and changes nothing."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apikeys.services import Issued
from organizations.models import Membership, Organization, User
from tests.admin.support import act, enter
from tests.pages.support import developer, sign_in, submission_of
from tests.support.domain import nothing_written, unwritable_trail

MAILED = "/accounts/signup/"


def _is_to_be_tried_again(response: Any) -> None:
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert b"no_event" not in response.content


@pytest.fixture
def browser(admin: User) -> Client:
    return sign_in(admin, Client(raise_request_exception=False))


def test_making_a_key(browser: Client, acme: Organization) -> None:
    page = developer(acme, "keys/create/")
    form = {"submission": submission_of(browser.get(page)), "name": "New"}

    with nothing_written(), unwritable_trail():
        response = browser.post(page, form)

    _is_to_be_tried_again(response)
    assert browser.post(page, form).status_code == 201


def test_a_change_of_the_organization_and_of_a_member(
    browser: Client, acme: Organization, member: User
) -> None:
    role = Membership.objects.get(user=member).pk
    forms = {
        f"/o/{acme.slug}/settings/": {"name": "Acme Two"},
        f"/o/{acme.slug}/settings/members/{role}/role/": {"role": "admin"},
    }

    for page, form in forms.items():
        with nothing_written(), unwritable_trail():
            _is_to_be_tried_again(browser.post(page, form))


def test_signing_up(db: None) -> None:
    form = {
        "email": "nora@new.example",
        "password1": "correct horse staple",  # pragma: allowlist secret
        "organization": "New",
    }
    visitor = Client(raise_request_exception=False)

    with nothing_written(), unwritable_trail():
        response = visitor.post(reverse("account_signup"), form)

    _is_to_be_tried_again(response)
    assert not User.objects.exists()


def test_an_action_and_a_form_of_staff(staff: User, acme: Organization, reader: Issued) -> None:
    browser = enter(Client(raise_request_exception=False), staff)
    form = reverse("admin:organizations_organization_change", args=[acme.pk])
    values = {"name": "Acme Two", "api_access_enabled": "on", "rate_limit_tier": "standard"}

    with nothing_written(), unwritable_trail():
        _is_to_be_tried_again(act(browser, "disable", reader.key))
        _is_to_be_tried_again(browser.post(form, values))

"""A secret that was pasted into a text comes back on no form, which says why it is empty."""

from typing import Any, Final

import pytest
from django.test import Client

from organizations.models import Organization
from tests.factories import UserFactory
from tests.pages.support import html, sign_in, submission_of
from tests.pages.world import Address
from tests.support.domain import SECRET, nothing_written

WHY: Final = "We cleared this field because it contained an API key."
TEXTS: Final = (SECRET, f"  {SECRET}", f"Key: {SECRET}.", SECRET[:-6])
#: Forms with texts: app, page, and the fields that are tried.
FORMS: Final = [
    ("apikeys", "create", ("name", "description")),
    ("apikeys", "edit", ("name", "description")),
    ("apikeys", "template-create", ("name", "description")),
    ("apikeys", "template-edit", ("name", "description")),
    ("apikeys", "service-account-create", ("name", "description")),
    ("apikeys", "service-account-edit", ("name", "description")),
    ("organizations", "general", ("name",)),
    ("organizations", "close", ("typed",)),
    ("organizations", "invite", ("email",)),
]
_GOOD: Final = {
    "name": "Good",
    "description": "Kept",
    "scopes": ["search:read"],
    "email": "good@example.com",
    "role": "member",
    "typed": "Acme",
}
CASES: Final = [(app, name, field) for app, name, fields in FORMS for field in fields]


def _cleared(answer: Any, field: str) -> None:
    text = html(answer)
    assert answer.status_code == 422
    assert SECRET[:-6] not in text
    assert WHY in text
    assert list(answer.context["form"].errors) == [field]
    assert answer.context["form"][field].value() == ""


@pytest.mark.parametrize(("app", "name", "field"), CASES)
def test_the_field_comes_back_empty(
    browser: Client, address: Address, app: str, name: str, field: str
) -> None:
    there = address(app, name)
    sent: dict[str, Any] = dict(_GOOD)
    if name == "create":
        sent |= {"submission": submission_of(browser.get(there)), "permissions": "custom"}

    for text in TEXTS:
        with nothing_written():
            answer = browser.post(there, {**sent, field: text})
        _cleared(answer, field)


def test_other_fields_keep_what_was_typed(browser: Client, address: Address) -> None:
    answer = browser.post(address("apikeys", "edit"), {**_GOOD, "name": SECRET})

    assert answer.context["form"]["description"].value() == "Kept"
    assert answer.context["form"]["scopes"].value() == ["search:read"]


def test_an_error_on_another_field_does_not_bring_it_back(
    browser: Client, address: Address
) -> None:
    answer = browser.post(
        address("apikeys", "create"), {"name": SECRET, "environment": "moon", "submission": "x"}
    )

    assert SECRET not in html(answer)
    assert {"name", "environment", "submission"} == set(answer.context["form"].errors)


def test_nor_does_filling_in_a_template(browser: Client, address: Address) -> None:
    answer = browser.post(address("apikeys", "create"), {"name": SECRET, "fill": "yes"})

    assert SECRET not in html(answer)


def test_the_prefix_of_a_key_is_a_text_like_others(
    browser: Client, address: Address, acme: Organization
) -> None:
    sent = {**_GOOD, "name": f"Successor of {SECRET[:13]}"}

    assert browser.post(address("apikeys", "edit"), sent).status_code == 303


def test_a_new_organization_is_not_named_after_a_secret(
    browser: Client, acme: Organization
) -> None:
    with nothing_written():
        answer = browser.post("/organizations/new/", {"name": SECRET})

    _cleared(answer, "name")


def test_signing_up_with_one(db: None) -> None:
    sent = {"email": "new@example.com", "name": SECRET, "organization": SECRET, "password1": "x"}

    answer = Client().post("/accounts/signup/", sent)

    assert SECRET not in html(answer)
    assert {"name", "organization"} <= set(answer.context["form"].errors)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/accounts/login/", "login"),
        ("/accounts/signup/", "email"),
        ("/accounts/password/reset/", "email"),
    ],
)
def test_an_email_address_comes_back_empty(db: None, path: str, field: str) -> None:
    for text in (*TEXTS, f"{SECRET}@example.com"):
        answer = Client().post(path, {field: text, "password": "x"})

        page = html(answer)
        assert SECRET[:-6] not in page
        assert WHY in page
        assert answer.context["form"][field].value() == ""


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("organizations/user/add/", "email"),
        ("organizations/user/add/", "name"),
        ("organizations/organization/add/", "admin_email"),
        ("organizations/organization/add/", "key_limit"),
        ("organizations/organization/add/", "rate_limit_tier"),
        ("organizations/membership/add/", "user"),
        ("organizations/membership/add/", "role"),
        ("organizations/serviceaccount/add/", "organization"),
        ("apikeys/keytemplate/add/", "organization"),
        ("apikeys/keytemplate/add/", "lifetime_days"),
        ("apikeys/apikey/add/", "organization"),
        ("apikeys/apikey/add/", "environment"),
    ],
)
def test_no_field_of_the_administration_comes_back_with_it(
    acme: Organization, path: str, field: str
) -> None:
    staff = sign_in(UserFactory.create(is_staff=True, is_superuser=True))

    for text in (*TEXTS, f"{SECRET}@example.com"):
        answer = staff.post(f"/admin/{path}", {field: text})

        assert answer.status_code in (200, 422), path
        assert SECRET[:-6] not in html(answer)


def test_a_users_address_in_the_administration_comes_back_empty(acme: Organization) -> None:
    person = UserFactory.create()
    staff = sign_in(UserFactory.create(is_staff=True, is_superuser=True))

    answer = staff.post(f"/admin/organizations/user/{person.pk}/change/", {"email": SECRET})

    assert SECRET not in html(answer)
    assert WHY in html(answer)


@pytest.mark.parametrize(
    ("app", "name", "field"),
    [
        *(
            ("apikeys", "create", field)
            for field in (
                "template",
                "environment",
                "permissions",
                "scopes",
                "expires",
                "expires_on",
                "service_account",
                "submission",
                "filled",
            )
        ),
        ("apikeys", "template-create", "scopes"),
        ("apikeys", "template-create", "lifetime_days"),
        ("organizations", "invite", "role"),
        ("organizations", "general", "default_key_days"),
    ],
)
def test_neither_does_any_other_field_of_a_form(
    browser: Client, address: Address, app: str, name: str, field: str
) -> None:
    answer = browser.post(address(app, name), {**_GOOD, field: SECRET})

    assert SECRET not in html(answer)

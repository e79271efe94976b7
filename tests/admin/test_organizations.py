"""Staff create and rename organizations, turn API access on or off, and set tiers and limits."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from organizations.models import Membership, Organization, User
from organizations.services import set_key_limit, set_rate_limit_tier
from tests.admin.support import change, everything, only_event, page, text
from tests.factories import SYSTEM, OrganizationFactory
from tests.support.domain import SECRET

ADD = "/admin/organizations/organization/add/"


def form_of(organization: Organization, **changes: Any) -> dict[str, Any]:
    """What the change page sends when only `changes` were made; None leaves a box empty."""
    sent = {
        "name": organization.name,
        "api_access_enabled": "on",
        "rate_limit_tier": organization.rate_limit_tier,
        "key_limit": "" if organization.key_limit is None else organization.key_limit,
        "default_key_days": organization.default_key_days or "",
    }
    return {name: value for name, value in {**sent, **changes}.items() if value is not None}


def test_an_organization_is_created_with_its_admin(
    browser: Client, staff: User, admin: User
) -> None:
    sent = {"name": "Initech", "admin_email": "ADA@acme.example"}

    response = browser.post(ADD, sent)

    made = Organization.objects.get(name="Initech")
    assert response.status_code == 302
    assert Membership.objects.get(organization=made).user == admin
    assert only_event("organization.created", staff).target_id == made.pk


def test_an_unknown_admin_is_refused_on_the_form(browser: Client, db: None) -> None:
    before = everything()

    response = browser.post(ADD, {"name": "Initech", "admin_email": "nobody@example.com"})

    assert response.status_code == 200
    assert "No user has this email address" in text(response)
    assert 'value="nobody@example.com"' in text(response)
    assert 'value="Initech"' in text(response)
    assert everything() == before


def test_a_missing_admin_is_refused_on_the_form(browser: Client) -> None:
    response = browser.post(ADD, {"name": "Initech", "admin_email": ""})

    assert "admin_email" in response.context["adminform"].form.errors


def test_renaming_leaves_one_event(browser: Client, staff: User, acme: Organization) -> None:
    response = browser.post(change(acme), form_of(acme, name="Acme Ltd"))

    acme.refresh_from_db()
    assert response.status_code == 302
    assert acme.name == "Acme Ltd"
    assert only_event("organization.renamed", staff).details == {"name": ["Acme", "Acme Ltd"]}


def test_api_access_is_switched_off(browser: Client, staff: User, acme: Organization) -> None:
    browser.post(change(acme), form_of(acme, api_access_enabled=None))

    acme.refresh_from_db()
    assert not acme.api_access_enabled
    only_event("organization.api_access_disabled", staff)


def test_the_tier_is_changed(browser: Client, staff: User, acme: Organization) -> None:
    browser.post(change(acme), form_of(acme, rate_limit_tier="high"))

    acme.refresh_from_db()
    assert acme.rate_limit_tier == "high"
    only_event("organization.rate_limit_tier_changed", staff)


def test_the_limit_of_keys_is_set_and_taken_back(
    browser: Client, staff: User, acme: Organization
) -> None:
    browser.post(change(acme), form_of(acme, key_limit="50"))

    acme.refresh_from_db()
    assert acme.key_limit == 50
    event = only_event("organization.key_limit_changed", staff)
    assert event.details == {"key_limit": [None, 50]}
    browser.post(change(acme), form_of(acme, key_limit=""))
    acme.refresh_from_db()
    assert acme.key_limit is None


def test_the_default_expiry_is_set_and_taken_back(
    browser: Client, staff: User, acme: Organization
) -> None:
    browser.post(change(acme), form_of(acme, default_key_days="90"))

    acme.refresh_from_db()
    assert acme.default_key_days == 90
    event = only_event("organization.default_expiry_changed", staff)
    assert event.details == {"default_key_days": [None, 90]}
    assert '<option value="90" selected>90 days</option>' in text(browser.get(change(acme)))
    browser.post(change(acme), form_of(acme, default_key_days=""))
    acme.refresh_from_db()
    assert acme.default_key_days is None


@pytest.mark.parametrize("days", ["45", "ninety"])
def test_what_is_no_default_expiry_is_refused_on_its_field(
    browser: Client, acme: Organization, days: str
) -> None:
    before = everything()

    response = browser.post(change(acme), form_of(acme, default_key_days=days))

    assert list(response.context["adminform"].form.errors) == ["default_key_days"]
    assert everything() == before


@pytest.mark.parametrize("limit", ["-1", "1000000000", "many", "1.5"])
def test_what_is_no_limit_of_keys_comes_back_on_its_field(
    browser: Client, acme: Organization, limit: str
) -> None:
    before = everything()

    response = browser.post(change(acme), form_of(acme, name="New", key_limit=limit))

    form = response.context["adminform"].form
    assert response.status_code == 200
    assert list(form.errors) == ["key_limit"]
    assert form.data["key_limit"] == limit
    assert everything() == before


@pytest.mark.parametrize("limit", [None, 0, 50])
def test_saving_without_a_change_leaves_no_event(
    browser: Client, acme: Organization, limit: int | None
) -> None:
    acme = set_key_limit(acme, limit=limit, actor=SYSTEM)
    before = everything()[0]

    browser.post(change(acme), form_of(acme))

    assert everything()[0] == before


def test_an_unknown_tier_is_refused(browser: Client, acme: Organization) -> None:
    before = everything()

    response = browser.post(change(acme), form_of(acme, name="New", rate_limit_tier="gold"))

    assert response.status_code == 200
    assert 'value="New"' in text(response)
    assert everything() == before


def test_a_secret_as_a_name_does_not_come_back(browser: Client, acme: Organization) -> None:
    before = everything()

    response = browser.post(change(acme), form_of(acme, name=SECRET))

    assert SECRET not in text(response)
    errors = response.context["adminform"].form.errors
    assert list(errors) == ["name"]
    assert "We cleared this field because it contained an API key." in errors["name"][0]
    assert everything() == before


@pytest.mark.parametrize("name", ["tab\x07bell", "\u202etxt", "\u3164"])
def test_a_name_that_the_service_refuses_comes_back_on_the_form(
    browser: Client, acme: Organization, name: str
) -> None:
    before = everything()

    response = browser.post(
        change(acme), form_of(acme, name=name, api_access_enabled=None, rate_limit_tier="high")
    )

    form = response.context["adminform"].form
    assert response.status_code == 200
    assert list(form.errors) == ["name"]
    assert form.data["name"] == name
    assert everything() == before


def test_other_fields_that_are_sent_along_are_ignored(browser: Client, acme: Organization) -> None:
    fields = ("id", "slug", "created_at")
    before = Organization.objects.values(*fields).get()

    browser.post(change(acme), form_of(acme, slug="stolen", id="0", created_at="2001-01-01"))

    assert Organization.objects.values(*fields).get() == before


def test_its_page_leads_to_everything_of_it(browser: Client, acme: Organization) -> None:
    OrganizationFactory.create(name="Globex", actor=SYSTEM)
    links = text(browser.get(change(acme))).split("Related:")[1].split('href="')

    addresses = [link.split('"')[0] for link in links if str(acme.pk) in link]

    assert len(addresses) == 6
    for address in addresses:
        response = browser.get(address.replace("&amp;", "&"))
        assert response.status_code == 200
        assert "Globex" not in text(response)


@pytest.mark.parametrize("attribute", ["public_id", "pk", "name", "slug"])
def test_it_is_found_by(browser: Client, acme: Organization, attribute: str) -> None:
    OrganizationFactory.create(name="Globex")

    response = browser.get(page(Organization), {"q": str(getattr(acme, attribute))})

    assert list(response.context["cl"].queryset) == [acme]


@pytest.mark.parametrize(("factor", "told"), [(10, "60,000 requests per minute"), (0, "None")])
def test_staff_see_the_rate_limit_of_all_keys_together(
    browser: Client, acme: Organization, settings: Settings, factor: int, told: str
) -> None:
    settings.ORGANIZATION_RATE_LIMIT_FACTOR = factor
    set_rate_limit_tier(acme, tier="high", actor=SYSTEM)

    shown = re.sub(r"<[^>]+>|\s+", " ", text(browser.get(change(acme))))

    assert re.search(rf"Organization rate limit:\s+{told}\s", shown)
    assert "organization_limit" not in browser.get(change(acme)).context["adminform"].form.fields

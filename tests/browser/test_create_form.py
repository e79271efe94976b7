"""The form of a new key: its options, what templates fill in, and the moment of the expiry."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from apikeys.models import ApiKey
from core.timestamps import stamp
from organizations.models import Organization
from organizations.services import set_default_expiry
from tests.browser.conftest import OpenPage
from tests.browser.support import create, fill_in
from tests.browser.test_layout import box
from tests.factories import SYSTEM, ServiceAccountFactory, TemplateFactory

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_is_filled_in_under_more_options_counts(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    fill_in(page)
    page.get_by_text("More options").click()
    assert not page.get_by_label("Custom date (UTC)").is_visible()
    assert not page.get_by_role("checkbox", name="search:read").is_visible()
    page.get_by_label("Custom…").check()
    page.get_by_role("checkbox", name="search:read").check()
    page.get_by_label("Expires").select_option("custom")
    page.get_by_label("Custom date (UTC)").fill("2035-02-18")
    create(page)

    page.get_by_role("heading", name="Store your new key").wait_for()
    key = ApiKey.objects.get()
    assert key.scopes == ["search:read"]
    assert key.expires_at == datetime(2035, 2, 18, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_is_filled_in_and_then_hidden_is_dropped_with_its_choice_or_refused(
    sign_in: OpenPage, script: bool
) -> None:
    page = sign_in(java_script_enabled=script)
    fill_in(page)
    page.get_by_text("More options").click()
    page.get_by_label("Custom…").check()
    page.get_by_role("checkbox", name="search:read").check()
    page.get_by_label("Expires").select_option("custom")
    page.get_by_label("Custom date (UTC)").fill("2035-02-18")
    page.get_by_label("Read only").check()
    page.get_by_label("Expires").select_option("30")
    create(page)

    if not script:  # shown again, since it would be sent
        page.get_by_text("Choose “Custom” to use the permissions that are ticked").first.wait_for()
        page.get_by_text("Choose “Custom date” to use the date, or clear it.").first.wait_for()
        assert page.get_by_role("checkbox", name="search:read").is_visible()
        assert page.get_by_label("Custom date (UTC)").is_visible()
        assert not ApiKey.objects.exists()
        return
    page.get_by_label("Secret", exact=True).wait_for()
    key = ApiKey.objects.get()
    assert key.scopes == ["trademarks:read", "search:read", "events:read"]
    assert key.expires_at
    assert key.expires_at - timezone.now() < timedelta(days=30)


def test_a_template_shows_what_it_fills_in_and_what_is_set_wins(
    sign_in: OpenPage, acme: Organization
) -> None:
    TemplateFactory.create(organization=acme, name="CI", scopes=["events:read"], lifetime_days=45)
    page = sign_in()
    fill_in(page)
    summary = page.locator("[data-in-words]")
    assert summary.inner_text() == "Live · Standard permissions · Never expires"
    page.get_by_text("More options").click()
    page.get_by_label("Expires").select_option("7")

    page.get_by_role("combobox", name="Template").select_option(label="CI")

    page.get_by_text("Fills in 1 of 5 permissions and 45 days.").wait_for()
    assert page.get_by_role("checkbox", name="events:read").is_checked()
    assert page.get_by_label("Expires").input_value() == "7", "set before"
    page.get_by_role("combobox", name="Template").select_option(label="None")
    assert page.get_by_label("Standard").is_checked()
    page.get_by_role("combobox", name="Template").select_option(label="CI")
    page.get_by_label("Test", exact=True).check()
    assert page.locator(".form-foot code", has_text="sig_test_").is_visible()
    page.get_by_text("More options").click()
    assert summary.inner_text() == "Test · Custom permissions · Expires in 7 days"
    create(page)

    page.get_by_label("Secret", exact=True).wait_for()
    key = ApiKey.objects.get()
    assert (key.scopes, key.environment) == (["events:read"], "test")
    assert key.expires_at
    assert key.expires_at - timezone.now() < timedelta(days=7)


def test_the_moment_of_the_expiry_follows_the_choice(sign_in: OpenPage) -> None:
    page = sign_in()
    fill_in(page)
    page.get_by_text("More options").click()
    assert not page.get_by_text("Stops working").first.is_visible()

    page.get_by_label("Expires").select_option("90")

    expected = stamp(timezone.now() + timedelta(days=90))[:11]
    page.get_by_text(f"Stops working {expected}").wait_for()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_default_expiry_is_preselected_with_its_moment(
    sign_in: OpenPage, acme: Organization, script: bool
) -> None:
    set_default_expiry(acme, days=90, actor=SYSTEM)
    page = sign_in(java_script_enabled=script)
    fill_in(page)
    assert page.locator("[data-in-words]").inner_text().endswith("Expires in 90 days")
    page.get_by_text("More options").click()

    expected = stamp(timezone.now() + timedelta(days=90))[:11]
    page.get_by_text(f"Stops working {expected}").wait_for()
    create(page)

    page.get_by_role("heading", name="Store your new key").wait_for()
    expires_at = ApiKey.objects.get().expires_at
    assert expires_at is not None
    assert stamp(expires_at)[:11] == expected


def test_without_the_template_the_default_expiry_is_back(
    sign_in: OpenPage, acme: Organization
) -> None:
    set_default_expiry(acme, days=90, actor=SYSTEM)
    TemplateFactory.create(organization=acme, name="CI", lifetime_days=45)
    TemplateFactory.create(organization=acme, name="Reader", lifetime_days=None)
    page = sign_in()
    fill_in(page)
    page.get_by_text("More options").click()
    template, expiry = page.get_by_role("combobox", name="Template"), page.get_by_label("Expires")

    chosen = []
    for name in ("CI", "Reader", "CI", "None"):
        template.select_option(label=name)
        chosen.append(expiry.input_value())

    assert chosen == ["45", "90", "45", "90"]


def test_all_options_fit_on_a_laptop(sign_in: OpenPage, acme: Organization) -> None:
    TemplateFactory.create(organization=acme, name="CI", lifetime_days=90)
    ServiceAccountFactory.create(organization=acme)
    page = sign_in(viewport={"width": 1280, "height": 900})
    fill_in(page)
    page.get_by_text("More options").click()
    page.get_by_role("combobox", name="Template").select_option(label="CI")

    dialog = page.locator("#dialog")
    assert dialog.evaluate("(dialog) => dialog.scrollHeight <= dialog.clientHeight")
    assert dialog.evaluate("(dialog) => dialog.getBoundingClientRect().bottom <= innerHeight")


def test_the_buttons_of_a_long_form_stay_in_view(sign_in: OpenPage) -> None:
    page = sign_in(viewport={"width": 375, "height": 600})
    fill_in(page)
    page.get_by_text("More options").click()

    assert page.locator("#dialog").evaluate("(dialog) => dialog.scrollHeight > dialog.clientHeight")
    for name in ("Cancel", "Create key"):
        place = box(page.get_by_role("button", name=name, exact=True))
        assert place["y"] + place["height"] <= 600

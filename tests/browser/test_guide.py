"""“Try this call” in the guide: a real request, and a key that stays nowhere."""

from typing import TYPE_CHECKING

import pytest

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization
from tests.browser.conftest import OpenPage
from tests.browser.test_secret import EVERYWHERE

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def _form(page: "Page", name: str) -> "Locator":
    page.goto("/docs/calls/")
    card = page.locator("section.card", has=page.locator(f"h2#{name}"))
    if not card.locator("details[open]").count():
        card.get_by_text("Examples").click()
    return card.locator("form")


def test_a_key_is_made_with_a_call_from_the_page(
    sign_in: OpenPage, manager: Issued, acme: Organization
) -> None:
    page = sign_in()
    form = _form(page, "create")

    form.get_by_label("API key").fill(f"Bearer {manager.secret}")
    form.get_by_role("button", name="Send request").click()

    form.get_by_text("201 Created").wait_for()
    assert ApiKey.objects.filter(name="Analytics Dashboard").exists()
    assert "sig_live_" in (form.locator("[data-output]").text_content() or "")
    page.goto("/docs/")
    page.go_back()
    page.wait_for_load_state()
    assert "sig_live_" not in page.evaluate(EVERYWHERE).replace("sig_live_…", "")


def test_ones_own_account_is_filled_in(
    sign_in: OpenPage, manager: Issued, acme: Organization
) -> None:
    form = _form(sign_in(), "use")
    assert form.get_by_label("Account ID").input_value() == acme.public_id

    form.get_by_label("API key").fill(manager.secret)
    form.get_by_role("button", name="Send request").click()

    form.get_by_text("200 OK").wait_for()
    assert '"totalCount": 0' in (form.locator("[data-output]").text_content() or "")


@pytest.mark.parametrize(
    ("key", "body", "told"),
    [
        ("", "{}", "Paste an API key."),
        ("sig_live_x", "{", "The body is not JSON."),
        ("sig_live_x", "{}", "401 Unauthorized"),
    ],
)
def test_what_is_wrong_is_said(open_page: OpenPage, key: str, body: str, told: str) -> None:
    form = _form(open_page(), "create")

    form.get_by_label("API key").fill(key)
    form.get_by_label("Body").fill(body)
    form.get_by_role("button", name="Send request").click()

    form.locator("[data-line]", has_text=told).wait_for()

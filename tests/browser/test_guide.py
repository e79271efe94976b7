"""The guide's tabs, search and “Try this request”, which stores the key nowhere."""

import re
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
    section = page.locator("section", has=page.locator(f"h2#{name}"))
    section.get_by_text("Try this request").click()
    return section.locator("form")


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
        ("sig_live_…", "{}", "That isn't a full API key"),
        ("ключ", "{}", "That isn't a full API key"),
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


def test_sending_twice_shows_the_one_key_that_was_made(
    open_page: OpenPage, manager: Issued
) -> None:
    form = _form(open_page(), "create")

    form.get_by_label("API key").fill(manager.secret)
    form.get_by_role("button", name="Send request").dblclick()

    form.locator("[data-line]", has_text="201 Created").wait_for()
    assert ApiKey.objects.filter(name="Analytics Dashboard").count() == 1


def test_another_organizations_account_looks_like_none(
    open_page: OpenPage, manager: Issued, globex: Organization
) -> None:
    form = _form(open_page(), "use")

    for account in (globex.public_id, "..", "x/../../y?z#"):
        form.get_by_label("API key").fill(manager.secret)
        form.get_by_label("Account ID").fill(account)
        form.get_by_role("button", name="Send request").click()
        form.locator("[data-line]", has_text="404 Not Found").wait_for()
        form.get_by_label("Account ID").fill("")
        form.get_by_role("button", name="Send request").click()
        form.locator("[data-line]", has_text="Fill in “Account ID”.").wait_for()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "The request didn't reach the API."),
        ("x" * 30_000, "First 20,000 of 30,000 characters"),
        ("<script>window.broken = 1</script>", "200 OK"),
    ],
)
def test_whatever_the_network_answers_is_told_and_is_text(
    open_page: OpenPage, answer: str | None, told: str
) -> None:
    page = open_page()
    form = _form(page, "list")
    page.route(
        "**/v1/api-keys?**",
        lambda route: route.abort() if answer is None else route.fulfill(body=answer),
    )

    form.get_by_label("API key").fill("sig_live_x")
    form.get_by_role("button", name="Send request").click()

    form.locator("[data-line]", has_text=told).wait_for()
    assert page.evaluate("window.broken") is None
    assert len(form.locator("[data-output]").text_content() or "") == min(len(answer or ""), 20_000)


def test_the_first_request_is_tried_from_the_quickstart(
    sign_in: OpenPage, manager: Issued, acme: Organization
) -> None:
    page = sign_in()
    page.goto("/docs/")

    page.get_by_label("API key").fill(manager.secret)
    page.get_by_role("button", name="Send request").click()

    page.locator("[data-line]", has_text="200 OK").wait_for()
    response = page.get_by_role("region", name="Response: List templates")
    assert response.is_visible()
    page.get_by_role("button", name="Hide response").click()
    assert response.is_hidden()
    page.get_by_role("button", name="View response").click()
    assert '"totalCount": 0' in (response.text_content() or "")


def test_the_language_is_chosen_by_mouse_and_keys_and_remembered(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/docs/calls/")
    shown = page.locator(".sample > pre:visible")
    assert re.findall("curl", shown.first.text_content() or "")

    page.get_by_role("tab", name="Python").nth(2).click()

    assert shown.count() == page.locator("[data-samples]").count()
    assert all("import requests" in text for text in shown.all_text_contents())
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent.trim()") == "JavaScript"
    page.keyboard.press("End")
    assert "package main" in (shown.first.text_content() or "")
    page.goto("/docs/")
    assert page.get_by_role("tab", name="Go").get_attribute("aria-selected") == "true"
    assert "package main" in (shown.first.text_content() or "")


def test_a_sample_is_copied_as_it_is_shown(open_page: OpenPage) -> None:
    page = open_page(permissions=("clipboard-read", "clipboard-write"))
    page.goto("/docs/scanning/")
    page.get_by_role("button", name="Copy the expression").click()
    page.get_by_text("Expression copied.").wait_for()
    page.goto("/docs/")
    page.get_by_role("button", name="Copy the curl example: First request").click()
    page.get_by_text("curl example copied.").wait_for()

    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl ")
    assert copied == page.locator("#first-1").text_content()


def test_without_scripts_every_language_is_shown(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/docs/")

    assert page.locator(".sample > pre:visible").count() == 4
    assert page.locator(".language:visible").all_text_contents() == [
        "curl",
        "Python",
        "JavaScript",
        "Go",
    ]
    assert not page.get_by_role("tab").filter(visible=True).count()
    page.get_by_role("searchbox", name="Search the guide").fill("key_expired")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="key_expired").click()
    assert page.url.endswith("/docs/errors/#key_expired")


def test_the_search_suggests_while_one_types(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/docs/")
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search the guide")
    page.keyboard.type("rate_lim")
    page.get_by_role("option", name="rate_limited").wait_for()
    assert field.get_attribute("aria-expanded") == "true"

    page.keyboard.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    page.keyboard.type("ited")
    page.get_by_role("option").wait_for()
    page.keyboard.press("ArrowDown")
    chosen = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")

    page.wait_for_url("**/docs/errors/#rate_limited")
    field.fill("permissions")
    page.get_by_role("option", name="Permissions").first.click()
    page.wait_for_url("**/docs/permissions/")


def test_the_contents_of_a_page_say_what_is_being_read(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/docs/errors/")
    current = page.locator("[data-toc] [aria-current]")
    assert current.text_content() == "Invalid requests"

    page.locator("#status-429").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#status-409').scrollIntoView({behavior: 'instant'})")

    page.locator("[data-toc] [aria-current]", has_text="Conflicts").wait_for()
    assert current.count() == 1


def test_a_key_that_is_tried_stays_nowhere(open_page: OpenPage, manager: Issued) -> None:
    page = open_page()
    form = _form(page, "current")

    form.get_by_label("API key").fill(manager.secret)
    form.get_by_role("button", name="Send request").click()
    form.locator("[data-line]", has_text="200 OK").wait_for()

    kept = """() => JSON.stringify([{...localStorage}, {...sessionStorage}, history.state,
        location.href, document.cookie, performance.getEntries().map((entry) => entry.name)])"""
    assert manager.secret not in page.evaluate(kept)
    assert page.evaluate("async () => (await indexedDB.databases()).length") == 0
    page.goto("/docs/")
    page.go_back()
    assert page.locator("#try-current-key").input_value() == ""

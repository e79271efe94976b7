"""“Try this call” in the guide sends a real request and stores the key nowhere."""

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
        ("sig_live_…", "{}", "This is no whole API key"),
        ("ключ", "{}", "This is no whole API key"),
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
        ("x" * 30_000, "the first 20,000 of 30,000 characters"),
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

"""The browser keeps no copy of a secret after showing it."""

import re
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import OpenPage

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

BLOCKED = "Copying is blocked here. The key is selected: press Ctrl+C."
#: The whole of what a page holds and leaves behind.
EVERYWHERE = """() => [
  document.documentElement.outerHTML,
  ...[...document.querySelectorAll("input, textarea")].map((field) => field.value),
  JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }),
  JSON.stringify(history.state), location.href, document.cookie,
].join("\\n")"""


def is_masked(field: "Locator") -> bool:
    """Whether dots stand for the characters of the field, as it is shown."""
    return bool(field.evaluate("(field) => getComputedStyle(field).webkitTextSecurity === 'disc'"))


def _reveal(page: "Page") -> str:
    page.get_by_role("link", name="Create API key").first.click()
    page.get_by_label("Name", exact=True).fill("Production")
    page.get_by_role("button", name="Create key", exact=True).click()
    secret: str = page.get_by_label("Secret", exact=True).input_value()
    return secret


def _assert_gone(page: "Page", secret: str) -> None:
    assert re.fullmatch(r"sig_live_\w{40}", secret)
    assert secret not in page.evaluate(EVERYWHERE)


def _close_uncopied(page: "Page") -> None:
    page.get_by_text("You haven't copied this key. It can't be shown again.").wait_for()
    page.get_by_role("button", name="Close without copying").click()
    page.get_by_text("Key Production created.").wait_for()


def test_after_done(sign_in: OpenPage) -> None:
    page = sign_in()
    secret = _reveal(page)

    page.get_by_role("button", name="Done").click()
    assert page.evaluate("document.activeElement.textContent") == "Go back"
    page.get_by_role("button", name="Go back").click()
    assert page.get_by_label("Secret", exact=True).input_value() == secret
    page.get_by_role("button", name="Done").click()
    _close_uncopied(page)

    _assert_gone(page, secret)


def test_after_escape_pressed_again_and_again(sign_in: OpenPage) -> None:
    page = sign_in()
    secret = _reveal(page)

    for _ in range(3):
        page.keyboard.press("Escape")
        assert page.get_by_label("Secret", exact=True).is_visible()
    _close_uncopied(page)

    _assert_gone(page, secret)
    page.locator("[data-new-name]:focus", has_text="Production").wait_for()


def test_after_going_away_and_back(sign_in: OpenPage) -> None:
    page = sign_in()
    page.on("dialog", lambda dialog: dialog.accept())
    secret = _reveal(page)

    page.goto("/o/acme/settings/")
    page.go_back()

    _assert_gone(page, secret)
    assert not page.locator("dialog[open]").count()


def test_the_page_without_script_is_emptied_when_it_is_left(sign_in: OpenPage) -> None:
    from playwright.sync_api import Error

    page = sign_in()
    page.goto("/o/acme/settings/developer/keys/create/")
    page.get_by_label("Name", exact=True).fill("Production")
    page.get_by_role("button", name="Create key", exact=True).click()
    secret = page.locator("[data-plain-secret]").text_content() or ""

    page.get_by_role("link", name="Back to keys").click()
    _assert_gone(page, secret)
    # Where the page is not kept, the browser asks before it sends the form again.
    with suppress(Error):
        page.go_back()
    page.wait_for_timeout(1000)

    assert secret not in page.content()


def test_after_a_test(sign_in: OpenPage) -> None:
    page = sign_in()
    secret = _reveal(page)
    page.get_by_role("button", name="Done").click()
    _close_uncopied(page)
    page.get_by_role("link", name="Test API key").first.click()
    page.get_by_label("API key", exact=True).fill(secret)

    with page.expect_request("**/v1/accounts/**") as sent:
        page.get_by_role("button", name="Run test").click()
    headers = sent.value.all_headers()
    page.locator("[data-line]", has_text="200 OK").wait_for()
    page.get_by_role("button", name="Close", exact=True).click()
    page.locator("dialog:not([open])").wait_for(state="attached")

    assert headers["authorization"] == f"Bearer {secret}"
    assert "cookie" not in headers
    _assert_gone(page, secret)


def test_a_key_that_was_tested_before_the_dialog_closed_is_in_the_list(sign_in: OpenPage) -> None:
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))
    secret = _reveal(page)
    page.get_by_role("button", name="Copy secret").click()
    page.get_by_text("Secret copied.").wait_for()
    page.get_by_role("button", name="Test this key").click()
    page.get_by_role("button", name="Run test").click()
    page.locator("[data-line]", has_text="200 OK").wait_for()

    page.get_by_role("button", name="Close", exact=True).click()

    page.get_by_text("Key Production created.").wait_for()
    page.locator("#keys [data-new-name]", has_text="Production").wait_for()
    _assert_gone(page, secret)


def test_after_signing_out(sign_in: OpenPage) -> None:
    page = sign_in()
    secret = _reveal(page)
    page.get_by_role("button", name="Done").click()
    _close_uncopied(page)
    page.locator("#keys [data-new-name]:focus", has_text="Production").wait_for()

    page.get_by_text("Ada Acme", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
    _assert_gone(page, secret)
    page.go_back()

    _assert_gone(page, secret)


@pytest.mark.parametrize("host", ["127.0.0.1", "testserver"])
def test_a_copy_that_failed_is_not_called_one(sign_in: OpenPage, host: str) -> None:
    page = sign_in(host=host)
    page.add_init_script(
        "if (navigator.clipboard) navigator.clipboard.writeText = () => Promise.reject()"
    )
    page.reload()
    secret = _reveal(page)

    page.get_by_role("button", name="Copy secret").click()
    page.get_by_text(BLOCKED).wait_for()

    field = page.get_by_label("Secret", exact=True)
    assert page.evaluate("isSecureContext") is (host == "127.0.0.1")
    assert not is_masked(field)
    assert page.evaluate("getSelection().toString()") == secret
    page.get_by_role("button", name="Done").click()
    _close_uncopied(page)
    _assert_gone(page, secret)


def _is_primary(page: "Page", name: str) -> bool:
    look = page.get_by_role("button", name=name).get_attribute("class") or ""
    return "primary" in look.split()


@pytest.mark.parametrize("way", ["Copy secret", "Copy as shell export", "Download .env"])
def test_storing_is_the_main_action_until_it_worked(sign_in: OpenPage, way: str) -> None:
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))
    secret = _reveal(page)
    assert (_is_primary(page, "Copy secret"), _is_primary(page, "Done")) == (True, False)

    if way == "Download .env":
        with page.expect_download() as saved:
            page.get_by_role("button", name=way).click()
        assert saved.value.suggested_filename == "production.env"
        assert saved.value.path().read_text() == f"API_KEY={secret}\n"
        assert secret not in saved.value.url
        page.get_by_text("Secret saved.").wait_for()
    else:
        page.get_by_role("button", name=way).click()
        page.get_by_text("Secret copied.").wait_for()
        expected = secret if way == "Copy secret" else f"export API_KEY={secret}"
        assert page.evaluate("navigator.clipboard.readText()") == expected
    assert page.locator("dialog .button.primary").all_inner_texts() == ["Done"]
    page.get_by_role("button", name="Done").click()

    page.get_by_text("Key Production created.").wait_for()
    _assert_gone(page, secret)


def test_the_examples_are_copied_without_the_secret(sign_in: OpenPage) -> None:
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))
    secret = _reveal(page)
    languages = page.get_by_role("tab")
    assert languages.all_inner_texts() == ["curl", "Python", "JavaScript", "Go"]

    languages.first.focus()
    variables = {
        "curl": "$API_KEY",
        "Python": "os.environ['API_KEY']",
        "JavaScript": "process.env.API_KEY",
        "Go": "os.Getenv",
    }
    for language, expected in variables.items():
        page.get_by_role("button", name=f"Copy the {language} example").click()
        page.get_by_text(f"{language} example copied.").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert expected in copied
        assert secret not in copied
        assert page.get_by_role("tabpanel").count() == 1
        page.locator("[role=tab][aria-selected=true]").press("ArrowRight")
    assert languages.first.get_attribute("aria-selected") == "true"

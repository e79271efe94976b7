"""The source document's developer settings page, in order, by mouse and keyboard."""

import json
import re
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from apikeys.models import ApiKey
from organizations.models import Organization
from tests.browser.conftest import OpenPage
from tests.browser.test_secret import is_masked
from tests.factories import TemplateFactory
from tests.reliability.live.conftest import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECRET = re.compile(r"sig_live_[0-9A-Za-z]{40}")


def _call(server: Server, acme: Organization, secret: str) -> httpx.Response:
    return server.call("GET", f"/v1/accounts/{acme.public_id}/templates", key=secret)


def _make(page: "Page", name: str) -> None:
    page.get_by_role("link", name="Create API key").first.click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Create key", exact=True).click()


def _clipboard(page: "Page") -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def _copy_secret(page: "Page") -> str:
    """Looks at the secret, masks it, copies it and closes the dialog."""
    field = page.get_by_label("Secret", exact=True)
    eye = page.get_by_role("button", name="Show secret")
    assert is_masked(field)
    eye.click()
    assert (is_masked(field), eye.get_attribute("aria-pressed")) == (False, "true")
    eye.click()
    page.get_by_role("button", name="Copy secret").click()
    page.get_by_text("Secret copied.").wait_for()
    page.get_by_role("button", name="Done").click()
    return _clipboard(page)


def _test(page: "Page", secret: str) -> None:
    """Makes the call of the Test dialog and reads all that it says."""
    page.get_by_role("link", name="Test API key").click()
    page.get_by_label("API key", exact=True).fill(f"Bearer {secret} ")
    page.get_by_role("button", name="Run test").click()
    line = page.locator("[data-line]", has_text="ms")
    line.wait_for()
    assert re.fullmatch(r"200 OK · \d+ ms · The key works\.", line.inner_text())
    assert len(page.locator("[data-body]").inner_text()) == 800
    page.get_by_text(re.compile(r"^Showing 800 of [\d,]+ characters$")).wait_for()
    assert secret not in page.locator("[data-command]").inner_text()


def _copy_result(page: "Page", secret: str) -> None:
    page.get_by_role("button", name="Copy full JSON").click()
    page.get_by_text("Full response copied.").wait_for()
    copied = json.loads(_clipboard(page))
    assert len(copied["items"]) == copied["totalCount"] == 5
    page.get_by_role("button", name="Copy curl").click()
    page.get_by_text("Command copied. It contains your key.").wait_for()
    assert secret in _clipboard(page)
    page.get_by_role("button", name="Close", exact=True).click()


def _assert_listed(page: "Page") -> None:
    row, key = page.get_by_role("row", name="Production"), ApiKey.objects.get()
    assert row.locator("strong").inner_text() == "Production"
    assert f"{key.created_at.day} {key.created_at:%b %Y}" in row.inner_text()


def _delete(page: "Page") -> None:
    """Deletes the key, which was used just now and says so as soon as that is written."""
    for _ in range(200):
        if ApiKey.objects.get().last_used_at:
            break
        time.sleep(0.1)
    page.get_by_role("link", name="Delete Production").click()
    page.get_by_label("Type “Production” to confirm").fill("Production")
    page.get_by_role("button", name="Delete key").click()
    page.get_by_text("Key Production deleted. Requests with it now get 401.").wait_for()


def test_with_script(server: Server, sign_in: OpenPage, acme: Organization) -> None:
    TemplateFactory.create_batch(5, organization=acme, description="Long enough to be cut. " * 9)
    page = sign_in(permissions=("clipboard-read", "clipboard-write"))

    _make(page, "Production")
    secret = _copy_secret(page)
    page.get_by_text("Key Production created.").wait_for()
    assert SECRET.fullmatch(secret)
    assert _call(server, acme, secret).status_code == 200

    _test(page, secret)
    _copy_result(page, secret)
    _assert_listed(page)
    _delete(page)
    assert _call(server, acme, secret).status_code == 401


def test_without_script(server: Server, sign_in: OpenPage, acme: Organization) -> None:
    page = sign_in(java_script_enabled=False)

    _make(page, "Production")
    shown = page.locator("[data-plain-secret]")
    assert not shown.is_visible()
    page.get_by_text("Show secret").click()
    secret = shown.inner_text()
    page.get_by_role("link", name="Back to keys").click()
    assert _call(server, acme, secret).status_code == 200

    page.get_by_role("link", name="Test API key").click()
    page.get_by_label("API key", exact=True).fill(secret)
    page.get_by_role("button", name="Run test").click()
    assert re.search(r"200 · \d+ ms · The key works\.", page.locator("[data-line]").inner_text())
    assert page.get_by_label("API key", exact=True).input_value() == ""
    assert secret not in page.content()
    page.get_by_role("link", name="Back to keys").click()

    _delete(page)
    assert _call(server, acme, secret).status_code == 401


@pytest.mark.parametrize("script", [True, False])
def test_sending_twice_makes_one_key(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    if script:
        page.get_by_role("link", name="Create API key").first.click()
        page.get_by_label("Name", exact=True).fill("Once")
        page.get_by_role("button", name="Create key", exact=True).dblclick()
        page.get_by_label("Secret", exact=True).wait_for()
    else:
        _make(page, "Once")
        page.reload()
        assert page.get_by_text("This key was already created").first.is_visible()

    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("script", [True, False])
def test_two_tabs_make_one_key_of_a_name(sign_in: OpenPage, script: bool) -> None:
    first = sign_in(java_script_enabled=script)
    second = first.context.new_page()
    second.goto(first.url)

    _make(first, "Production")
    first.locator("[data-secret]").wait_for()
    _make(second, "Production")

    second.get_by_text("A key named “Production” already exists.").first.wait_for()
    assert ApiKey.objects.count() == 1

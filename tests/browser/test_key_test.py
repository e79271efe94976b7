"""The Test dialog, where what is pasted or answered means harm."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.test_secret import is_masked
from tests.support.domain import SECRET

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _test(page: "Page", pasted: str) -> None:
    page.get_by_role("link", name="Test API key").click()
    page.get_by_label("API key", exact=True).fill(pasted)
    page.get_by_role("button", name="Run test").click()


@pytest.mark.parametrize("part", ['"; id; "', "$(id)", "`id`", "\\", " -o x"])
def test_what_cannot_be_a_key_is_not_sent_and_makes_no_command(
    sign_in: OpenPage, part: str
) -> None:
    page, called = sign_in(), list[str]()
    page.on("request", lambda request: called.append(request.url))

    _test(page, SECRET[:-4] + part)

    page.get_by_text("That doesn't look like one of our keys.").wait_for()
    assert not page.locator("[data-result]").is_visible()
    assert [url for url in called if "/v1/" in url] == []


def test_markup_in_an_answer_is_text(sign_in: OpenPage) -> None:
    answer = "<img src=x onerror='window.broken = 1'><script>window.broken = 1</script>"
    page = sign_in()
    page.route("**/v1/accounts/**", lambda route: route.fulfill(body=answer))

    _test(page, SECRET)

    page.locator("[data-line]", has_text="ms").wait_for()
    assert page.locator("[data-body]").text_content() == answer
    assert page.evaluate("window.broken") is None


@pytest.mark.parametrize("next_one", ["", "sig_live_short", SECRET[:-1] + "x"])
def test_a_refused_key_leaves_nothing_of_the_one_before(sign_in: OpenPage, next_one: str) -> None:
    page = sign_in()
    page.route("**/v1/accounts/**", lambda route: route.fulfill(body="{}"))
    _test(page, SECRET)
    page.locator("[data-line]", has_text="The key works.").wait_for()

    page.get_by_label("API key", exact=True).fill(next_one)
    page.get_by_role("button", name="Run test").click()

    page.locator("[data-test-error]", has_text="key").wait_for()
    assert not page.locator("[data-result]").is_visible()
    assert not any(one.is_visible() for one in page.get_by_text("The key works.").all())


def test_while_a_test_runs_nothing_of_the_one_before_is_shown(sign_in: OpenPage) -> None:
    page = sign_in()
    page.route("**/v1/accounts/**", lambda route: route.fulfill(body="{}"))
    _test(page, SECRET)
    page.locator("[data-line]", has_text="The key works.").wait_for()
    page.unroute("**/v1/accounts/**")
    page.route("**/v1/accounts/**", lambda route: None)  # never answered

    page.get_by_role("button", name="Run test").click()

    page.get_by_role("button", name="Cancel").wait_for()
    assert not page.locator("[data-result]").is_visible()
    page.get_by_role("button", name="Cancel").click()
    page.locator("[data-line]", has_text="Cancelled.").wait_for()


def test_the_key_is_masked_until_it_is_asked_for(sign_in: OpenPage) -> None:
    page = sign_in()
    page.get_by_role("link", name="Test API key").click()
    field = page.get_by_label("API key", exact=True)
    field.fill(SECRET)
    assert is_masked(field)

    page.get_by_role("button", name="Show key").click()
    assert not is_masked(field)
    page.get_by_role("button", name="Show key").click()
    assert is_masked(field)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_key_is_masked_on_the_page_too(sign_in: OpenPage, script: bool) -> None:
    page = sign_in(java_script_enabled=script)
    page.goto("/o/acme/settings/developer/test/")

    assert is_masked(page.get_by_label("API key", exact=True))

"""The Test dialog, where what is pasted or answered means harm."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import OpenPage
from tests.domain import SECRET

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

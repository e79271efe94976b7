"""The browser and the server count characters and cut text in the same way."""

from typing import TYPE_CHECKING

from apikeys.pages.key_test import characters
from tests.browser.conftest import OpenPage
from tests.support.domain import SECRET
from tests.support.texts_of_characters import SAMPLES

if TYPE_CHECKING:
    from playwright.sync_api import Page

COUNT = """(texts) => {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  return texts.map((text) => [...segmenter.segment(text)].length);
}"""
FAMILY = "👨‍👩‍👧‍👦"


def _tested(page: "Page", body: str) -> tuple[str, str]:
    """What the Test dialog shows of an answer, and what it says about how much that is."""
    page.route("**/v1/accounts/**", lambda route: route.fulfill(body=body))
    page.get_by_role("link", name="Test API key").first.click()
    page.get_by_label("API key", exact=True).fill(SECRET)
    page.get_by_role("button", name="Run test").click()
    page.locator("[data-line]", has_text="ms").wait_for()
    extent = page.locator("[data-extent]").text_content() or ""
    return page.locator("[data-body]").text_content() or "", extent


def test_every_sample_is_counted_alike(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/docs/")
    texts = [text for text, _ in SAMPLES] + ["".join(text for text, _ in SAMPLES)]

    counted = page.evaluate(COUNT, texts)

    assert counted == [characters.count(text) for text in texts]


def test_an_answer_is_cut_between_characters(sign_in: OpenPage) -> None:
    body = "x" * 799 + FAMILY * 500

    shown, extent = _tested(sign_in(), body)

    assert shown == "x" * 799 + FAMILY == characters.first(body, 800)
    assert extent == "Showing 800 of 1,299 characters · not JSON"

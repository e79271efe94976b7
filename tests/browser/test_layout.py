"""Elements that scripts show or fill look like their neighbors and overlap nothing."""

from typing import TYPE_CHECKING, Final

import pytest

from apikeys.services import Issued
from organizations.models import Organization
from tests.browser.conftest import OpenPage

if TYPE_CHECKING:
    from playwright.sync_api import FloatRect, Locator, Page

PAGES: Final = ("/docs/", "/docs/calls/", "/o/acme/settings/developer/")
#: Of every element that needs scripts: how it is laid out, and how it is without that class.
JS_ONLY = """() => [...document.querySelectorAll(".js-only")].map((element) => {
  const seen = getComputedStyle(element).display;
  element.classList.remove("js-only");
  const meant = getComputedStyle(element).display;
  element.classList.add("js-only");
  return [element.outerHTML.slice(0, 80), seen, meant];
})"""


def box(found: "Locator") -> "FloatRect":
    """Where it is on the page."""
    place = found.bounding_box()
    assert place
    return place


def _sent(page: "Page", secret: str) -> "Locator":
    page.goto("/docs/calls/")
    form = page.locator("form[data-try]").first
    form.get_by_label("API key").fill(secret)
    form.get_by_role("button", name="Send request").click()
    form.locator("[data-line]", has_text="ms").wait_for()
    return form


@pytest.mark.parametrize("width", [1280, 375])
def test_the_result_of_a_call_in_the_guide_stands_above_its_body(
    sign_in: OpenPage, manager: Issued, width: int
) -> None:
    page = sign_in(viewport={"width": width, "height": 800})
    form = _sent(page, manager.secret)

    button, line, body = (
        box(form.get_by_role("button", name="Send request")),
        box(form.get_by_role("status")),
        box(form.locator("[data-output]")),
    )

    assert button["y"] + button["height"] < line["y"], "a gap"
    assert line["y"] + line["height"] < body["y"], "a gap"


@pytest.mark.parametrize("path", PAGES)
def test_what_needs_scripts_is_laid_out_as_its_classes_say(
    sign_in: OpenPage, acme: Organization, path: str
) -> None:
    page = sign_in()
    page.goto(path)

    seen = page.evaluate(JS_ONLY)

    assert [[at, shown] for at, shown, _ in seen] == [[at, meant] for at, _, meant in seen]


def test_what_needs_scripts_is_hidden_without_them(open_page: OpenPage) -> None:
    page = open_page(java_script_enabled=False)
    page.goto("/docs/calls/")

    assert page.locator(".js-only").count() > 10
    assert not page.locator(".js-only").filter(visible=True).count()

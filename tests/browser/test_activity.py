"""The filters of the Activity page: one row, also on a phone, and days only where asked for."""

from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.conftest import OpenPage
from tests.support.domain import SECRET

if TYPE_CHECKING:
    from playwright.sync_api import Page

ACTIVITY: Final = "/o/acme/settings/developer/activity/"


def _opened(sign_in: OpenPage, width: int, query: str = "", *, scripts: bool = True) -> "Page":
    page = sign_in(viewport={"width": width, "height": 812}, java_script_enabled=scripts)
    page.goto(ACTIVITY + query, wait_until="networkidle")
    return page


def _rows(page: "Page") -> int:
    """How many rows the filters take."""
    controls = page.locator("main form.filters").locator("input, select, .button")
    places = [control.bounding_box() for control in controls.filter(visible=True).all()]
    return len({round(place["y"] + place["height"] / 2) for place in places if place})


@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("query", ["", "?q=CI&actor=Ada&kind=api_key&period=90"])
def test_the_filters_take_one_row(sign_in: OpenPage, width: int, query: str) -> None:
    page = _opened(sign_in, width, query)

    assert _rows(page) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_a_phone_the_filters_are_behind_a_button(sign_in: OpenPage) -> None:
    page = _opened(sign_in, 375)
    assert not page.get_by_label("What").is_visible()

    page.get_by_role("button", name="Filters").click()
    page.get_by_label("What").select_option("member")

    page.wait_for_url("**kind=member**")
    page.get_by_text("Nothing matches these filters.").wait_for()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_days_appear_with_their_choice(sign_in: OpenPage, scripts: bool) -> None:
    page = _opened(sign_in, 1280, scripts=scripts)
    assert not page.get_by_label("From").is_visible()

    page.get_by_label("When").select_option("dates")
    page.get_by_label("From").fill("2999-01-01")
    page.get_by_role("button", name="Apply").click()

    page.get_by_text("Nothing matches these filters.").wait_for()
    assert page.get_by_label("From").input_value() == "2999-01-01"
    assert page.get_by_label("When").input_value() == "dates"


@pytest.mark.parametrize("label", ["Search by key name or ID", "Who"])
def test_a_whole_secret_never_leaves_the_browser(sign_in: OpenPage, label: str) -> None:
    page, sent = _opened(sign_in, 1280), list[str]()
    page.on("request", lambda request: sent.append(request.url))

    field = page.get_by_label(label)
    field.fill(SECRET)
    field.press("Enter")
    page.wait_for_url(f"**={SECRET[:13]}*")

    assert sent
    assert not [url for url in sent if SECRET[13:] in url]

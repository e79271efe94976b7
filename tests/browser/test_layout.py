"""Elements that scripts show or fill look like their neighbors and overlap nothing."""

from typing import TYPE_CHECKING, Final

import pytest

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.pages.support import add_many_keys

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
    page.get_by_text("Try this request").first.click()
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


@pytest.fixture
def many(acme: Organization, admin: User) -> None:
    add_many_keys(acme, admin, 40)


def test_ten_keys_are_seen_without_scrolling(sign_in: OpenPage, many: None) -> None:
    page = sign_in(viewport={"width": 1280, "height": 900})
    rows = page.locator("#keys tbody tr")

    assert box(rows.first)["y"] <= 330
    assert {box(row)["height"] for row in rows.all()[:10]} == {56}
    tenth = box(rows.nth(9))
    assert tenth["y"] + tenth["height"] <= 900


def test_on_a_phone_the_first_key_is_near_the_top(sign_in: OpenPage, many: None) -> None:
    for pointer in (False, True):
        page = sign_in(viewport={"width": 375, "height": 812}, has_touch=pointer, is_mobile=pointer)

        assert box(page.locator("#keys tbody tr").first)["y"] <= 480


def test_on_a_phone_a_key_takes_four_lines(sign_in: OpenPage, many: None) -> None:
    page = sign_in(viewport={"width": 375, "height": 812}, has_touch=True, is_mobile=True)
    row = page.locator("#keys tbody tr").first

    assert box(row)["height"] <= 116
    status, prefix = box(row.locator(".status")), box(row.locator(".key-name .sub"))
    assert status["y"] == prefix["y"], "on one line"
    assert box(row.locator("time").filter(visible=True).first)["x"] < status["x"]


@pytest.mark.parametrize("width", [1280, 1024, 768, 640, 375])
def test_names_and_prefixes_are_shown_in_full(sign_in: OpenPage, many: None, width: int) -> None:
    page = sign_in(viewport={"width": width, "height": 800})
    cell = page.locator("#keys tbody td.key-name").first

    for shown in (cell.locator(".name > a"), cell.locator(".sub")):
        assert shown.evaluate("element => element.scrollWidth <= element.clientWidth")


@pytest.mark.parametrize("width", [1280, 1024, 768])
def test_the_filters_share_a_line(sign_in: OpenPage, many: None, width: int) -> None:
    page = sign_in(viewport={"width": width, "height": 800})

    shown = page.locator(".more-filters > :is(select, .square)").filter(visible=True)
    assert len({box(one)["y"] for one in shown.all()}) == 1


@pytest.mark.parametrize("width", [1280, 1024, 768, 375, 320])
def test_each_row_has_its_bin_and_a_gap_beside_it(
    sign_in: OpenPage, many: None, width: int
) -> None:
    page = sign_in(viewport={"width": width, "height": 800})
    trash = box(page.get_by_role("link", name="Delete Bulk 00039"))
    more = box(page.get_by_label("More for Bulk 00039"))

    assert more["x"] - (trash["x"] + trash["width"]) >= 8
    assert min(trash["width"], trash["height"], more["width"], more["height"]) >= 28
    assert more["x"] + more["width"] <= width
    created = page.locator("#keys tbody tr").first.locator("time").filter(visible=True)
    assert created.count() >= 1, "the date of creation is in each row"


def test_the_whole_cell_of_a_name_is_its_link(sign_in: OpenPage, many: None) -> None:
    page = sign_in(viewport={"width": 1280, "height": 800})
    cell = box(page.locator("#keys tbody td.key-name").first)

    page.mouse.click(cell["x"] + cell["width"] - 4, cell["y"] + cell["height"] - 4)

    page.wait_for_url("**/keys/key_*/")


def test_a_menu_near_the_bottom_opens_upwards(sign_in: OpenPage, many: None) -> None:
    page = sign_in(viewport={"width": 1280, "height": 800})
    last = page.get_by_label("More for Bulk 00026")
    last.evaluate("(button) => button.scrollIntoView({ block: 'end' })")

    last.click()

    panel = box(page.locator(".menu.end[open] > .panel"))
    assert panel["y"] + panel["height"] <= 800


@pytest.mark.parametrize("path", ["developer/", "developer/activity/", "developer/access/"])
def test_on_a_phone_the_current_tab_is_in_view(sign_in: OpenPage, path: str) -> None:
    page = sign_in(viewport={"width": 375, "height": 812}, reduced_motion="no-preference")
    page.goto(f"/o/acme/settings/{path}", wait_until="networkidle")

    current = box(page.locator(".tabs [aria-current]"))

    assert current["x"] >= 0
    assert current["x"] + current["width"] <= 375
    assert page.evaluate("scrollY") == 0


def test_it_stays_in_view_when_the_phone_is_turned(sign_in: OpenPage, acme: Organization) -> None:
    page = sign_in(viewport={"width": 1280, "height": 812})
    page.goto("/o/acme/settings/developer/access/", wait_until="networkidle")
    tabs = page.locator(".tabs")
    assert tabs.get_attribute("data-before") is None

    page.set_viewport_size({"width": 375, "height": 812})
    page.locator(".tabs[data-before]:not([data-after])").wait_for()

    current = box(tabs.locator("[aria-current]"))
    assert current["x"] >= 0
    assert current["x"] + current["width"] <= 375


def test_on_a_phone_a_warning_about_permissions_is_not_cut(
    sign_in: OpenPage, acme: Organization, manager: Issued
) -> None:
    page = sign_in(viewport={"width": 375, "height": 812})

    warning = page.locator("#keys .warn", has_text="Full access").filter(visible=True)

    assert warning.count() == 1
    assert warning.evaluate("element => element.scrollWidth <= element.clientWidth")


@pytest.mark.parametrize("path", ["developer/", "developer/usage/", "members/"])
def test_selects_keep_an_arrow_in_forced_colors(
    sign_in: OpenPage, acme: Organization, path: str
) -> None:
    page = sign_in(forced_colors="active")
    page.goto(f"/o/acme/settings/{path}", wait_until="networkidle")
    arrow = "(select) => getComputedStyle(select).appearance"

    seen = {select.evaluate(arrow) for select in page.locator("main select").all()}

    assert seen == {"auto"}

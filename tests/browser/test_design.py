"""The design page shows every component, with the sizes of the design system."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from config.env import ROOT
from organizations.models import User
from tests.browser.conftest import OpenPage
from tests.browser.visitors import sign_in
from tests.factories import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Page

COMPONENTS: Final = sorted((ROOT / "static/css/components").glob("*.css"))
PAGES: Final = ("entrance", "guide", "key-list", "people", "samples")
#: Sizes in pixels with a mouse: selector, property, value.
SIZES: Final = (
    (".button:not(.small, .large)", "height", 36),
    (".button.small", "height", 28),
    (".button.large", "height", 44),
    (".icon-button:not(.square)", "width", 28),
    (".field input.input", "height", 36),
    (".field select", "height", 36),
    (".badge", "height", 24),
    (".chip:not(.scope)", "height", 20),
    (".tabs a", "height", 40),
    (".table thead th", "height", 40),
    (".table tbody tr", "height", 56),
    (".topbar", "height", 52),
    (".menu .panel", "width", 208),
    (".panel a", "height", 32),
)
#: Radii in pixels: selector, value.
RADII: Final = (
    (".chip", "4px"),
    (".button", "6px"),
    (".input", "6px"),
    (".table", "8px"),
    (".card", "8px"),
    ("dialog", "12px"),
)


@pytest.fixture
def design(open_page: OpenPage, staff: User) -> Any:
    """Opens the design page as staff."""

    def make(**how: Any) -> "Page":
        page = open_page(viewport={"width": 1280, "height": 900}, **how)
        sign_in(page, staff.email, PASSWORD)
        page.goto("/design/")
        return page

    return make


def _size(page: "Page", selector: str, side: str) -> float:
    box: Any = page.locator(
        f".sheet {selector}, .topbar{selector}".replace(".topbar.topbar", ".topbar")
    ).first.bounding_box()
    return float(box[side])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_photographed_and_has_the_sizes_of_the_system(
    design: Any, theme: str, tmp_path: Path
) -> None:
    page: Page = design(color_scheme=theme)

    page.screenshot(path=tmp_path / f"{theme}.png", full_page=True)

    assert (tmp_path / f"{theme}.png").stat().st_size > 20_000
    sizes = [(selector, side, _size(page, selector, side)) for selector, side, _ in SIZES]
    assert sizes == [(selector, side, float(value)) for selector, side, value in SIZES]
    radii = [
        (
            selector,
            page.locator(f".sheet {selector}").first.evaluate(
                "(element) => getComputedStyle(element).borderTopLeftRadius"
            ),
        )
        for selector, _ in RADII
    ]
    assert radii == list(RADII)


def test_targets_grow_for_fingers(design: Any) -> None:
    page: Page = design(has_touch=True, is_mobile=True)

    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    assert _size(page, ".button:not(.small, .large)", "height") == 44
    assert _size(page, ".button.small", "height") == 36
    assert _size(page, ".panel a", "height") == 44


def test_the_focus_ring_is_two_pixels_wide_and_away(design: Any) -> None:
    page: Page = design()
    ring = "(e) => { const s = getComputedStyle(e); return [s.outlineWidth, s.outlineOffset] }"

    page.locator(".sheet .button").first.focus()
    page.keyboard.press("Tab")

    assert page.locator(":focus").evaluate(ring) == ["2px", "2px"]
    assert page.locator(".sheet .button.is-focus").first.evaluate(ring) == ["2px", "2px"]
    field = page.locator("#design-name")
    field.focus()
    assert field.evaluate(ring) == ["2px", "-1px"]


def test_every_component_is_on_it(design: Any) -> None:
    """By its first class, or those named after its file. `PAGES` are files of one page each."""
    page: Page = design()
    missing = []
    for file in COMPONENTS:
        rules = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
        names = re.findall(r"\.([a-z][\w-]*)", rules)
        own = {*names[:1], *(name for name in names if name.startswith(f"{file.stem}-"))}
        if (
            own
            and file.stem not in PAGES
            and not any(page.locator(f".sheet .{name}").count() for name in own)
        ):
            missing.append(file.name)

    assert not missing, "Show them on the design page: templates/design/"

"""The administration on a phone: pages never scroll sideways, lists do so in their own box."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.contrib import admin
from django.db.models import Model

from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from organizations.models import Organization, User
from tests.admin.support import change, page
from tests.browser.conftest import OpenPage
from tests.factories import PASSWORD
from tests.support.domain import ORIGIN

if TYPE_CHECKING:
    from playwright.sync_api import Page

WIDTH = 375


@pytest.fixture
def on_phone(open_page: OpenPage, staff: User) -> "Page":
    """The administration, signed in."""
    opened = open_page(viewport={"width": WIDTH, "height": 812}, has_touch=True, is_mobile=True)
    opened.goto("/accounts/login/?next=/admin/")
    opened.get_by_label("Email").fill(staff.email)
    opened.get_by_label("Password", exact=True).fill(PASSWORD)
    opened.get_by_role("button", name="Sign in", exact=True).click()
    opened.wait_for_url("**/admin/")
    return opened


@pytest.fixture
def long_key(make_key: Callable[..., Issued]) -> ApiKey:
    """A key whose texts have no place to wrap."""
    key = make_key(name="N" * 100, description="D" * 200, metadata={"m" * 40: "v" * 100}).key
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(
            last_used_ip=ORIGIN.ip, last_used_user_agent="a" * 300
        )
    return key


def _width(opened: "Page") -> int:
    """How far the page reaches, the part that overflows into nowhere included."""
    return int(
        opened.evaluate(
            """() => Math.max(document.documentElement.scrollWidth,
              ...[...document.querySelectorAll("main, .content, #content-main")]
                .map((box) => box.getBoundingClientRect().left + box.scrollWidth))"""
        )
    )


def test_no_page_scrolls_sideways(
    on_phone: "Page", long_key: ApiKey, acme: Organization, staff: User
) -> None:
    models: list[type[Model]] = list(admin.site._registry)
    paths = ["/admin/", *map(page, models), *map(change, (long_key, acme, staff))]

    wide = {}
    for path in paths:
        on_phone.goto(path)
        if _width(on_phone) > WIDTH:
            wide[path] = _width(on_phone)

    assert not wide


def test_a_list_scrolls_in_its_box_and_keeps_the_names_in_view(
    on_phone: "Page", long_key: ApiKey
) -> None:
    on_phone.goto(page(ApiKey))
    box = on_phone.locator("#changelist .results")
    box.evaluate("(box) => box.scrollTo(10_000, 0)")

    assert box.evaluate("(box) => box.scrollLeft") > 0
    name = on_phone.locator("#result_list tbody th").first.bounding_box()
    assert name
    assert 0 <= name["x"] < name["x"] + name["width"] <= WIDTH / 2

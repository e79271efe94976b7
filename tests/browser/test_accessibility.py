"""axe finds no problem on any page or dialog, and everything works by keyboard."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from apikeys.guide.contents import PAGES as GUIDE
from apikeys.services import Issued
from organizations.models import Membership, Organization, User
from organizations.services import set_key_limit
from tests.browser.conftest import OpenPage
from tests.factories import SYSTEM, ServiceAccountFactory, TemplateFactory
from tests.pages.support import sign_in as sign_in_with_form

if TYPE_CHECKING:
    from playwright.sync_api import Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DEVELOPER = "/o/acme/settings/developer/"


def _findings(page: "Page") -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": TAGS}}
    violations: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return [f"{page.url}: {v['id']}: {v['nodes'][0]['html'][:200]}" for v in violations]


def _sideways(page: "Page") -> list[str]:
    too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [f"{page.url} scrolls sideways"] if too_wide else []


def _look_at(page: "Page", addresses: list[str]) -> list[str]:
    found: list[str] = []
    for address in addresses:
        page.goto(address)
        found += _findings(page) + _sideways(page)
    return found


Open = Callable[[OpenPage], "Page"]


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (320, "light"), (320, "dark")])
def look(request: pytest.FixtureRequest) -> Open:
    """Opens a page at each width and in each theme."""
    width, scheme = request.param
    return lambda opened: opened(color_scheme=scheme, viewport={"width": width, "height": 800})


@pytest.fixture
def things(acme: Organization, make_key: Callable[..., Issued]) -> dict[str, str]:
    """One of each kind: address part → public id."""
    return {
        "keys": make_key(name="Production").key.public_id,
        "templates": TemplateFactory.create(organization=acme).public_id,
        "service-accounts": ServiceAccountFactory.create(organization=acme).public_id,
    }


def test_developer_pages(sign_in: OpenPage, things: dict[str, str], look: Open) -> None:
    parts = {
        "keys": ("", "edit/", "rotate/", "switch/", "delete/"),
        "templates": ("edit/", "delete/"),
        "service-accounts": ("", "edit/", "switch/", "delete/"),
    }
    pages = [f"{kind}/{things[kind]}/{part}" for kind in parts for part in parts[kind]]
    pages += [f"{kind}/create/" for kind in parts]
    pages += ["", "?q=nothing", "test/", "activity/", "access/", "templates/", "service-accounts/"]

    assert not _look_at(look(sign_in), [DEVELOPER + rest for rest in pages])


def test_developer_pages_at_the_limit_of_keys(
    sign_in: OpenPage, things: dict[str, str], acme: Organization, look: Open
) -> None:
    set_key_limit(acme, limit=1, actor=SYSTEM)

    assert not _look_at(look(sign_in), [DEVELOPER, f"{DEVELOPER}keys/create/"])


def test_people_and_accounts(sign_in: OpenPage, admin: User, member: User, look: Open) -> None:
    membership = Membership.objects.get(user=member)
    elsewhere = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Elsewhere"
    sign_in_with_form(admin, Client(headers={"User-Agent": elsewhere}))
    pages = [
        *("/o/acme/settings/", "/o/acme/settings/members/", "/o/acme/settings/leave/"),
        *(f"/o/acme/settings/members/{membership.pk}/remove/", "/organizations/new/"),
        *("/accounts/email/", "/accounts/password/change/", "/accounts/sessions/"),
        "/accounts/notifications/",
        *("/accounts/2fa/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/"),
        *("/accounts/2fa/webauthn/add/", "/accounts/logout/", "/nothing-here"),
    ]

    assert not _look_at(look(sign_in), pages)


def test_dialogs(sign_in: OpenPage, things: dict[str, str], look: Open) -> None:
    page = look(sign_in)
    found: list[str] = []
    for name in ("Create API key", "Test API key", "Delete Production"):
        page.get_by_role("link", name=name).first.click()
        page.locator("dialog[open]").wait_for()
        found += _findings(page) + _sideways(page)
        page.keyboard.press("Escape")
    page.get_by_label("More for Production").click()
    found += _findings(page) + _sideways(page)

    assert not found


def test_the_secret(sign_in: OpenPage, look: Open) -> None:
    page = look(sign_in)
    page.get_by_role("link", name="Create API key").first.click()
    page.get_by_label("Name", exact=True).fill("Second")
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_label("Secret key").wait_for()
    found = _findings(page)
    page.get_by_role("button", name="Done").click()

    assert not found + _findings(page) + _sideways(page)


def test_pages_for_everybody(open_page: OpenPage, look: Open) -> None:
    entrance = ("login/", "signup/", "password/reset/", "password/reset/done/", "confirm-email/")

    guide = [page.url for page in GUIDE] + ["/docs/search/?q=rotate"]

    assert not _look_at(look(open_page), [*(f"/accounts/{page}" for page in entrance), *guide])


@pytest.mark.parametrize("name", ["Create API key", "Test API key", "Delete Production"])
def test_focus_enters_stays_and_returns(
    sign_in: OpenPage, make_key: Callable[..., Issued], name: str
) -> None:
    make_key(name="Production")
    page = sign_in()
    opener = page.get_by_role("link", name=name).first
    opener.focus()

    page.keyboard.press("Enter")
    page.locator("dialog[open]").wait_for()
    inside = "document.querySelector('dialog').contains(document.activeElement)"
    assert page.evaluate(inside)
    for _ in range(12):
        page.keyboard.press("Tab")
        # Between the last and the first element the browser's own controls have their turn.
        assert page.evaluate(f"{inside} || document.activeElement === document.body")
    page.keyboard.press("Escape")

    assert page.evaluate("document.activeElement.textContent.trim()") == (
        "" if name.startswith("Delete") else name
    )
    assert opener.evaluate("(link) => link === document.activeElement")


def test_an_error_is_announced_and_focused(sign_in: OpenPage) -> None:
    page = sign_in()
    page.get_by_role("link", name="Create API key").first.click()
    page.get_by_label("Name", exact=True).wait_for()

    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()

    field = page.get_by_label("Name", exact=True)
    assert field.evaluate("(field) => field === document.activeElement")
    assert field.get_attribute("aria-invalid") == "true"
    assert "Enter a name for the key." in page.get_by_role("alert").inner_text()


def test_searching_updates_the_list_and_says_how_many(
    sign_in: OpenPage, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Production")
    make_key(name="Staging")
    page = sign_in()

    page.get_by_label("Search keys by name or ID").press_sequentially("stag", delay=20)
    page.get_by_role("row", name="Production").wait_for(state="detached")

    assert page.get_by_role("row", name="Staging").is_visible()
    page.locator("#page-status").get_by_text("1 key matches").wait_for()
    assert "q=stag" in page.url

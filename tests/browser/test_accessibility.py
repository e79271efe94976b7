"""axe finds nothing on any page or dialog, and everything works by keyboard.

The table is `PLACES`. Here each place has two of the twelve looks, and all places together have
all of them; with ``LOOKS=all``, as in “make accessibility”, each place has all.
"""

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str

from apikeys.management import demo_data
from apikeys.services import Issued
from organizations.models import Invitation, Organization, User
from organizations.services import set_key_limit
from organizations.services.invitation_links import token_of
from tests.browser.conftest import OpenPage
from tests.browser.places import LOOKS, PLACES, Ids, Look, Place
from tests.browser.visitors import EMAILS, Visitors, find_ids, go
from tests.factories import PASSWORD, SYSTEM
from tests.reliability.live.conftest import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DEVELOPER: Final = "/o/acme/settings/developer/"


def _findings(page: "Page") -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    options = {"runOnly": {"type": "tag", "values": TAGS}}
    violations: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in violations]


def _sideways(page: "Page") -> list[str]:
    too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return ["scrolls sideways"] if too_wide else []


def _looks_of(place: Place) -> tuple[Look, ...]:
    """All, or two that differ in theme and width. Twelve places in a row have all of them."""
    if os.environ.get("LOOKS") == "all":
        return LOOKS
    number = PLACES.index(place)
    return tuple(LOOKS[(number + step) % len(LOOKS)] for step in (0, 7))


def _look_at(page: "Page", place: Place, ids: Ids) -> list[str]:
    page.set_default_timeout(15_000)
    go(page, place, ids)
    found: list[str] = []
    for look in _looks_of(place):
        look.apply(page)
        faults = _findings(page) + _sideways(page)
        found += [f"{place.name} ({look.theme}, {look.width}): {fault}" for fault in faults]
    page.close()
    return found


@pytest.fixture
def secret(server: Server) -> str:
    """A key of the demo, whose data are there."""
    return demo_data.seed(PASSWORD)


@pytest.fixture
def visitors(chromium: "Browser", server: Server, secret: str) -> Iterator[Visitors]:
    """People who are signed in. Anything that the CSP blocks or a script throws fails the test."""
    people = Visitors(chromium, server.address, PASSWORD)
    yield people
    people.close()
    assert not people.troubles


@pytest.fixture
def ids(visitors: Visitors, secret: str) -> Ids:
    """What fills the paths."""
    member = User.objects.get(email=demo_data.MEMBER)
    reset = f"{user_pk_to_url_str(member)}-{default_token_generator.make_token(member)}"
    invitation = Invitation.objects.open().select_related("organization").earliest("id")
    return find_ids(
        visitors.of("admin"), secret=secret, invitation=token_of(invitation), reset=reset
    )


def test_the_looks_of_the_places_cover_all_pairs() -> None:
    looks = [_looks_of(place) for place in PLACES]

    assert {look for seen in looks for look in seen} == set(LOOKS)
    assert all(len({look.theme for look in seen}) > 1 for seen in looks)
    assert all(len({look.width for look in seen}) > 1 for seen in looks)
    assert len({place.name for place in PLACES}) == len(PLACES)


@pytest.mark.parametrize("who", EMAILS)
def test_every_page_and_dialog(visitors: Visitors, ids: Ids, who: str) -> None:
    found: list[str] = []
    for place in (place for place in PLACES if place.who == who):
        found += _look_at(visitors.of(who).new_page(), place, ids)

    assert not found, "\n".join(found)


def test_pages_without_scripts(visitors: Visitors, ids: Ids) -> None:
    found: list[str] = []
    for who in ("admin", "nobody"):
        context = visitors.blocked(who)
        for place in (place for place in PLACES if place.plain and place.who == who):
            found += _look_at(context.new_page(), place, ids)

    assert not found, "\n".join(found)


def test_developer_pages_at_the_limit_of_keys(visitors: Visitors, ids: Ids) -> None:
    set_key_limit(Organization.objects.get(slug="acme"), limit=1, actor=SYSTEM)
    page = visitors.of("admin").new_page()
    found: list[str] = []
    for path in (DEVELOPER, f"{DEVELOPER}keys/create/"):
        page.goto(path)
        found += _findings(page) + _sideways(page)

    assert not found


def test_what_the_csp_blocks_is_noticed(chromium: "Browser", server: Server) -> None:
    visitors = Visitors(chromium, server.address, PASSWORD)
    page = visitors.of("nobody").new_page()
    page.goto("/accounts/login/")

    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.wait_for_timeout(100)
    visitors.close()

    assert any("Content Security Policy" in trouble for trouble in visitors.troubles)


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

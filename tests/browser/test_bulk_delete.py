"""Selecting and deleting keys, with and without scripts, by keyboard, and on a phone."""

import pytest
from django.contrib.sessions.models import Session

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization, User
from tests.browser.conftest import OpenPage
from tests.browser.test_accessibility import _findings, _sideways
from tests.browser.test_layout import box
from tests.conftest import ALL_SCOPES
from tests.factories import PASSWORD, IssuedKeyFactory
from tests.pages.support import RECORDS
from tests.reliability.live.conftest import Server
from tests.support.api import MakeKey
from tests.support.domain import acting

DEVELOPER = "/o/acme/settings/developer/"
FOCUSED = "document.activeElement"


@pytest.fixture
def maker(make_key: MakeKey, acme: Organization) -> Issued:
    """A key that has created another; the list has two more."""
    issued = make_key(name="Maker", scopes=ALL_SCOPES)
    fields = {"organization": acme, "scopes": ["search:read"], "actor": acting(issued)}
    IssuedKeyFactory.create(name="Child", **fields)
    make_key(name="Staging")
    make_key(name="Production")
    return issued


def _live() -> set[str]:
    return set(ApiKey.objects.unrevoked().values_list("name", flat=True))


def test_the_bar_appears_says_the_number_and_goes(sign_in: OpenPage, maker: Issued) -> None:
    page = sign_in()
    bar, said = page.locator("[data-bulk]"), page.locator("[data-selection]")
    row = page.get_by_role("row", name="Staging")
    before = box(row)
    every = page.get_by_label("Select all on this page")
    assert not bar.is_visible()
    assert said.text_content() == ""

    page.get_by_label("Select Staging").check()
    assert bar.get_by_role("button", name="Delete 1 key", exact=True).is_visible()
    assert said.text_content() == "1 key selected."
    assert bar.get_by_text("1 selected").is_visible()
    assert box(row) == before, "nothing moves"
    assert every.evaluate("(box) => box.indeterminate")
    every.check()
    assert bar.get_by_role("button", name="Delete 4 keys").is_visible()
    assert said.text_content() == "4 keys selected."

    page.get_by_role("button", name="Clear selection").click()
    assert not bar.is_visible()
    assert said.text_content() == "0 keys selected."
    assert every.evaluate(f"(box) => box === {FOCUSED} && !box.checked && !box.indeterminate")


def test_keys_are_deleted_by_keyboard_alone(sign_in: OpenPage, maker: Issued) -> None:
    page = sign_in()
    page.get_by_label("Select Staging").focus()
    page.keyboard.press("Space")
    page.get_by_label("Select Maker").focus()
    page.keyboard.press("Space")
    delete = page.get_by_role("button", name="Delete 2 keys")
    delete.focus()

    page.keyboard.press("Enter")
    dialog = page.get_by_role("alertdialog", name="Delete 2 keys?")
    dialog.wait_for()
    assert page.evaluate(f"{FOCUSED}.textContent") == "Cancel"
    page.keyboard.press("Escape")
    assert delete.evaluate(f"(button) => button === {FOCUSED}")
    assert len(_live()) == 4

    page.keyboard.press("Enter")
    dialog.get_by_label("Also delete the key that these keys created").focus()
    page.keyboard.press("Space")
    dialog.get_by_role("button", name="Delete 2 keys").focus()
    page.keyboard.press("Enter")

    page.locator("#page-status", has_text="3 keys deleted.").wait_for()
    # The list is fetched again, and takes the focus when it has arrived.
    page.locator("#keys-heading:focus").wait_for()
    page.get_by_role("link", name="Production", exact=True).wait_for()
    assert not page.locator("[data-bulk]").is_visible()
    assert _live() == {"Production"}


def test_an_error_in_the_dialog_keeps_the_selection(
    sign_in: OpenPage, maker: Issued, server: Server
) -> None:
    server.statuses(maker, 1)  # from now on it is in use
    page = sign_in()
    page.get_by_label("Select Maker").check()
    page.get_by_label("Select Staging").check()
    page.get_by_role("button", name="Delete 2 keys").click()
    dialog = page.locator("dialog[open]")
    field = page.get_by_label("Type “delete” to confirm")
    field.fill("yes")
    dialog.get_by_label("Also delete").check()
    button = dialog.get_by_role("button", name="Delete 2 keys")
    assert button.get_attribute("aria-disabled") == "true"
    # The server refuses it too, where the script does not wait for the word.
    field.evaluate("(field) => { delete field.dataset.expected; field.form.requestSubmit(); }")

    page.get_by_role("alert").wait_for()
    field = page.get_by_label("Type “delete” to confirm")
    assert field.evaluate(f"(field) => field === {FOCUSED}")
    assert dialog.get_by_label("Also delete").is_checked()
    field.fill("delete")
    page.keyboard.press("Enter")

    page.locator("#page-status", has_text="3 keys deleted.").wait_for()


def test_without_script(
    open_page: OpenPage, acme: Organization, admin: User, maker: Issued
) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"/accounts/login/?next={DEVELOPER}")
    page.get_by_label("Email").fill(admin.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert not page.get_by_label("Select all on this page").is_visible()

    page.get_by_label("Select Maker").check()
    page.get_by_label("Select Staging").check()
    page.locator("[data-bulk]").get_by_text("Selected keys", exact=True).wait_for()
    page.get_by_role("button", name="Delete selected keys").click()
    page.get_by_role("heading", name="Delete 2 keys?").wait_for()
    page.get_by_label("Also delete the key that these keys created").check()
    page.get_by_role("button", name="Delete 2 keys").click()

    page.get_by_text("3 keys deleted. Requests with them now get 401.").wait_for()
    assert _live() == {"Production"}


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_inaccessible(sign_in: OpenPage, maker: Issued, width: int, scheme: str) -> None:
    page = sign_in(
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",  # a dialog that is fading in has no contrast yet
    )
    page.get_by_label("Select Staging").check()
    every = "All on this page" if width < 640 else "Select all on this page"
    page.get_by_label(every, exact=True).check()
    found = _findings(page) + _sideways(page)
    delete = page.get_by_role("button", name="Delete 4 keys")
    assert delete.evaluate("(button) => button.getBoundingClientRect().bottom <= innerHeight")
    delete.click()
    page.locator("dialog[open]").wait_for()
    found += _findings(page) + _sideways(page)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Delete Maker").click()
    page.get_by_label("Also delete the key that this key created").wait_for()
    found += _findings(page) + _sideways(page)
    for address in (f"keys/delete/?key={maker.key.public_id}", "keys/delete/"):
        page.goto(DEVELOPER + address)
        found += _findings(page) + _sideways(page)

    assert not found


def test_keys_are_disabled_and_enabled_by_keyboard_alone(sign_in: OpenPage, maker: Issued) -> None:
    page = sign_in()
    for verb, done in (("Disable", "disabled"), ("Enable", "enabled")):
        for name in ("Staging", "Production"):
            page.get_by_label(f"Select {name}").focus()
            page.keyboard.press("Space")
        page.get_by_role("button", name=f"{verb} 2 keys").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name=f"{verb} 2 keys?")
        dialog.get_by_text("Staging").wait_for()
        dialog.get_by_role("button", name=f"{verb} 2 keys").focus()
        page.keyboard.press("Enter")

        page.locator("#page-status", has_text=f"2 keys {done}.").wait_for()
        page.locator("#keys-heading:focus").wait_for()
        assert page.get_by_role("cell", name="Disabled").count() == (2 if verb == "Disable" else 0)


def test_without_script_keys_are_disabled(sign_in: OpenPage, maker: Issued) -> None:
    page = sign_in(java_script_enabled=False)
    page.get_by_label("Select Staging").check()
    page.get_by_role("button", name="Disable selected keys").click()
    page.get_by_role("heading", name="Disable “Staging”?").wait_for()
    page.get_by_role("button", name="Disable key").click()

    page.get_by_text("Key Staging disabled.").wait_for()
    assert page.get_by_role("cell", name="Disabled").count() == 1


def test_selected_keys_are_downloaded(sign_in: OpenPage, maker: Issued) -> None:
    page = sign_in()
    page.get_by_label("Select Staging").check()
    page.get_by_label("Select Maker").check()

    with page.expect_download() as started:
        page.get_by_role("button", name="Export CSV").click()

    lines = started.value.path().read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ['"Staging"', '"Maker"']
    assert page.get_by_label("Select Staging").is_checked()


def test_an_old_sign_in_is_confirmed_in_the_dialog(sign_in: OpenPage, maker: Issued) -> None:
    page = sign_in()
    _grow_stale()
    page.get_by_label("Select Staging").check()
    page.get_by_label("Select Production").check()
    page.get_by_role("button", name="Delete 2 keys").click()
    page.locator("dialog[open]").get_by_role("button", name="Delete 2 keys").click()

    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()

    page.locator("#page-status", has_text="2 keys deleted.").wait_for()
    assert _live() == {"Maker", "Child"}


def _grow_stale() -> None:
    """As if the person had signed in long ago."""
    session = Session.objects.get()
    data = session.get_decoded()
    data[RECORDS] = [{**record, "at": record["at"] - 16 * 60} for record in data[RECORDS]]
    session.session_data = Session.objects.encode(data)
    session.save()

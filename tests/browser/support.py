"""Steps that several tests take in the dialogs."""

from typing import TYPE_CHECKING

from django.contrib.sessions.backends.db import SessionStore

from tests.factories import PASSWORD
from tests.pages.support import RECORDS

if TYPE_CHECKING:
    from playwright.sync_api import Page


_OLD = 16 * 60


def age_sign_in(page: "Page", seconds: int = _OLD) -> None:
    """Lets the sign-in be that old."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    session = SessionStore(cookies["sessionid"])
    session[RECORDS] = [{**record, "at": record["at"] - seconds} for record in session[RECORDS]]
    session.save()


def fill_in(page: "Page") -> None:
    page.get_by_role("link", name="Create API key").first.click()
    page.get_by_label("Name", exact=True).fill("Production")


def create(page: "Page") -> None:
    page.get_by_role("button", name="Create key", exact=True).click()


def confirm(page: "Page", password: str = PASSWORD) -> None:
    page.get_by_role("heading", name="Confirm it's you").wait_for()
    page.get_by_label("Your password").fill(password)
    page.get_by_role("button", name="Continue").click()

"""Photographs every page and dialog of a demo: both themes, wide and narrow, some without scripts.

Run ``python -m tests.browser.gallery FOLDER``. Writes PNG files and an ``index.html``. Ends with
an error, after all pictures, if a place could not be opened or the CSP blocked something.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.browser.demo_server import Demo, running_demo
from tests.browser.launch import launched
from tests.browser.places import PLACES, Ids, Look, Place
from tests.browser.visitors import Visitors, find_ids, go

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

LOOKS: Final = tuple(Look(theme, width) for theme, width in product(("light", "dark"), (1280, 375)))
_POST: Final = """([path, fields]) => fetch(path, {method: "POST", body: new URLSearchParams({
  csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value, ...fields})})"""


@contextmanager
def visited() -> Iterator[tuple["Browser", Demo, Visitors, Ids]]:
    """A browser with people who are signed in to a demo."""
    with running_demo() as demo, launched() as browser:
        visitors = Visitors(browser, demo.address, demo.password)
        page = visitors.of("admin").new_page()
        links = {"invitation": _invitation(page, demo), "secret": demo.secret}
        page.close()
        page = visitors.of("nobody").new_page()
        links["reset"] = _reset(page, demo)
        page.close()
        yield browser, demo, visitors, find_ids(visitors.of("admin"), **links)
        visitors.close()


def _invitation(page: "Page", demo: Demo) -> str:
    """The token of an open invitation, from its email."""
    page.goto("/o/acme/settings/members/")
    path = page.locator("form[action*='/invitations/']").first.get_attribute("action")
    page.evaluate(_POST, [path, {"do": "resend"}])
    return demo.mailed(r"/invitations/([^/\s]+)/")


def _reset(page: "Page", demo: Demo) -> str:
    """The key of a link to choose a password, from the email to someone who doesn't sign in.

    A sign-in makes such links invalid.
    """
    page.goto("/accounts/password/reset/")
    page.evaluate(_POST, ["/accounts/password/reset/", {"email": "billing@acme.example"}])
    return demo.mailed(r"/password/reset/key/([^/\s]+)/")


def photograph(page: "Page", look: Look, path: Path) -> None:
    """The whole page, or the window where a dialog is open."""
    look.apply(page)
    has_dialog = page.locator("dialog[open]:not(.sheet *)").count() > 0
    page.screenshot(path=str(path), full_page=not has_dialog, animations="disabled")


def _take(context: "BrowserContext", place: Place, ids: Ids, start: str) -> list[str]:
    """Writes the pictures of a place. Returns why it could not be opened."""
    from playwright.sync_api import Error

    page = context.new_page()
    page.set_default_timeout(10_000)
    try:
        go(page, place, ids)
        for look in LOOKS:
            photograph(page, look, Path(f"{start}-{look.width}-{look.theme}.png"))
    except Error as error:
        return [f"{start}: {error.message.splitlines()[0]}"]
    finally:
        page.close()
    return []


def _index(folder: Path) -> None:
    pictures = sorted(path.name for path in folder.glob("*.png"))
    figures = "".join(
        f'<figure><a href="{escape(name)}"><img src="{escape(name)}" width="480" loading="lazy"'
        f' alt=""></a><figcaption>{escape(name)}</figcaption></figure>'
        for name in pictures
    )
    page = f'<!doctype html><meta charset="utf-8"><title>Gallery</title>{figures}'
    (folder / "index.html").write_text(page)


def main(folder: Path) -> list[str]:
    """Writes the pictures into `folder`. Returns what went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    failures: list[str] = []
    only = os.environ.get("ONLY", "")
    places = [place for place in PLACES if place.name.startswith(only)]
    with visited() as (_, _, visitors, ids):
        for place in places:
            failures += _take(visitors.of(place.who), place, ids, f"{folder}/{place.name}")
        for place in [place for place in places if place.plain]:
            context = visitors.plain(place.who)
            failures += _take(context, place, ids, f"{folder}/{place.name}-without-scripts")
        failures += visitors.troubles
    _index(folder)
    return failures


if __name__ == "__main__":
    if troubles := main(Path(sys.argv[1])):
        sys.exit("\n".join(troubles))

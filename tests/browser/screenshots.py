"""Generates the README's screenshots from a demo in a temporary folder.

Run ``python -m tests.browser.screenshots FOLDER``. No screenshot shows a usable secret: it is
masked, and its key is deleted before the demo and its database are removed.
"""

import sys
from pathlib import Path
from typing import Any, Final

from tests.browser.demo_server import running_demo
from tests.browser.launch import launched

_SCHEMES: Final = ("light", "dark")
_SIZE: Final = {"width": 1280, "height": 860}
#: How many keys the first picture shows.
_KEYS: Final = 5
_DEVELOPER: Final = "/o/acme/settings/developer/"


def _picture(page: Any, folder: Path, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(folder / f"{name}.png"))


def _picture_of_keys(page: Any, folder: Path, name: str) -> None:
    """The page down to its fifth key; the demo's newest five keys are in different states."""
    page.wait_for_load_state("networkidle")
    row = page.locator("table tbody tr").nth(_KEYS - 1).bounding_box()
    clip = {"x": 0, "y": 0, "width": _SIZE["width"], "height": row["y"] + row["height"] + 1}
    page.screenshot(path=str(folder / f"{name}.png"), full_page=True, clip=clip)


def _take(browser: Any, address: str, password: str, scheme: str, folder: Path) -> None:
    page = browser.new_page(base_url=address, color_scheme=scheme, viewport=_SIZE)
    page.goto(f"/accounts/login/?next={_DEVELOPER}")
    page.get_by_label("Email").fill("admin@acme.example")
    page.get_by_label("Password", exact=True).fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{_DEVELOPER}")
    _picture_of_keys(page, folder, f"keys-{scheme}")
    page.get_by_role("link", name="Create API key").click()
    page.get_by_label("Name", exact=True).fill("Web shop")
    _picture(page, folder, f"create-{scheme}")
    page.keyboard.press("Enter")
    page.get_by_label("Secret", exact=True).wait_for()
    _picture(page, folder, f"secret-{scheme}")
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Close without copying").click()
    page.get_by_role("link", name="Delete Web shop").click()
    page.get_by_role("button", name="Delete key").wait_for()
    _picture(page, folder, f"delete-{scheme}")
    page.get_by_role("button", name="Delete key").click()
    page.get_by_text("Key Web shop deleted.").wait_for()
    page.goto(f"{_DEVELOPER}usage/")
    _picture(page, folder, f"usage-{scheme}")
    page.goto(f"{_DEVELOPER}activity/")
    _picture(page, folder, f"activity-{scheme}")
    page.close()


def main(folder: Path) -> None:
    """Writes the pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with running_demo() as demo, launched() as browser:
        for scheme in _SCHEMES:
            _take(browser, demo.address, demo.password, scheme, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

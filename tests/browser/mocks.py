"""Puts each picture of a folder of mocks next to ours.

Run ``python -m tests.browser.mocks MOCKS FOLDER``. A mock's file name ends in its width and theme,
as in ``keys-1280-light.png``; the email's has no width. Pictures of screens that `SCREENS` doesn't
know are named at the end.
"""

import base64
import re
import struct
import sys
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.browser.demo_server import Demo
from tests.browser.gallery import visited
from tests.browser.places import Ids, Place
from tests.browser.visitors import Visitors, go

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_DEVELOPER: Final = "/o/acme/settings/developer/"
_PHONE: Final = 640
_EMAIL: Final = "email"
_EMAIL_WIDTH: Final = 1280
#: Screens by the first part of the mock's file name, or by all of it where that shows more.
SCREENS: Final[dict[str, Place]] = {
    "access": Place("access", f"{_DEVELOPER}access/"),
    "activity": Place("activity", f"{_DEVELOPER}activity/"),
    "components": Place("components", "/design/", "staff"),
    "create": Place("create", _DEVELOPER, steps=("Create API key",)),
    "create-options": Place(
        "create-options",
        _DEVELOPER,
        steps=(
            *("Create API key", "Name=Web shop {number}", "text:More options", "Test"),
            "Template Optional=Staging",
        ),
    ),
    "delete": Place(
        "delete",
        _DEVELOPER,
        steps=("Delete Production", "Type “Production” to confirm=Produc"),
    ),
    "empty": Place("empty", "/o/acme-labs/settings/developer/"),
    "error-404": Place("error-404", f"{_DEVELOPER}keys/key_nothing/"),
    "guide": Place("guide", "/docs/"),
    "key": Place("key", f"{_DEVELOPER}keys/{{key}}/", steps=("Edit description",)),
    "keys": Place("keys", _DEVELOPER),
    "keys-1280-light": Place("menu", _DEVELOPER, steps=("More for Contractor",)),
    "keys-bulk": Place(
        "keys-bulk", _DEVELOPER, steps=("Select Contractor", "Select Trial", "Select Forgotten")
    ),
    "members": Place("members", "/o/acme/settings/members/"),
    "rotate": Place("rotate", _DEVELOPER, steps=("More for Production", "text:Rotate")),
    "secret": Place(
        "secret", _DEVELOPER, steps=("Create API key", "Name=Production {number}", "Create key")
    ),
    "secret-1280-dark": Place(
        "copied",
        _DEVELOPER,
        steps=("Create API key", "Name=Production {number}", "Create key", "Copy secret"),
    ),
    "signin": Place("signin", "/accounts/login/", "nobody"),
    "test": Place(
        "test",
        _DEVELOPER,
        steps=("Test API key", "API key={secret}", "Run test", "wait:200"),
    ),
    "usage": Place("usage", f"{_DEVELOPER}usage/?range=30d"),
}
#: Causes the email.
_DELETION: Final = Place("deletion", _DEVELOPER, steps=("Delete Forgotten", "Delete key"))
_STYLE: Final = """body { margin: 0; padding: 24px; font: 14px system-ui; background: #888; }
main { display: flex; gap: 24px; align-items: flex-start; }
figure { margin: 0; } figcaption { padding-block-end: 8px; font-weight: 600; }"""


@dataclass(frozen=True)
class Mock:
    """A mock: what it shows, in which theme, and the size of its window in CSS pixels."""

    file: Path
    screen: str
    theme: str
    width: int
    height: int
    scale: int


def read_mock(file: Path) -> Mock | None:
    """The mock of a file, None if its name is no screen, width and theme."""
    parts = re.fullmatch(r"(.+?)(?:-(\d+))?-(light|dark)", file.stem)
    if parts is None or parts[1] not in (SCREENS if parts[2] else {_EMAIL}):
        return None
    across, down = struct.unpack(">II", file.read_bytes()[16:24])
    width = int(parts[2] or _EMAIL_WIDTH)
    scale = max(1, across // width)
    return Mock(file, parts[1], parts[3], width, down // scale, scale)


def _ours(browser: "Browser", visitors: Visitors, demo: Demo, mock: Mock, ids: Ids) -> bytes:
    place = SCREENS.get(mock.file.stem) or SCREENS.get(mock.screen, _DELETION)
    context = browser.new_context(
        base_url=demo.address,
        color_scheme="dark" if mock.theme == "dark" else "light",
        device_scale_factor=mock.scale,
        has_touch=mock.width < _PHONE,
        is_mobile=mock.width < _PHONE,
        permissions=["clipboard-read", "clipboard-write"],
        storage_state=visitors.of(place.who).storage_state(),
        viewport={"width": mock.width, "height": mock.height},
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    go(page, place, ids)
    if mock.screen == _EMAIL:
        page = context.new_page()  # without the CSP of our pages
        page.set_content(demo.wait_for_page("API key “Forgotten” deleted"))
    picture: bytes = page.screenshot(animations="disabled")
    context.close()
    return picture


def _image(picture: bytes, width: int, caption: str) -> str:
    data = base64.b64encode(picture).decode()
    return (
        f"<figure><figcaption>{escape(caption)}</figcaption>"
        f'<img src="data:image/png;base64,{data}" width="{width}" alt=""></figure>'
    )


def _pair(browser: "Browser", mock: Mock, ours: bytes, path: Path) -> None:
    both = _image(mock.file.read_bytes(), mock.width, f"Mock: {mock.file.stem}") + _image(
        ours, mock.width, "Ours"
    )
    page = browser.new_page(viewport={"width": 2 * mock.width + 72, "height": mock.height + 80})
    page.set_content(f"<style>{_STYLE}</style><main>{both}</main>")
    page.screenshot(path=str(path), full_page=True)
    page.close()


def main(mocks: Path, folder: Path) -> list[str]:
    """Writes the pairs into `folder`. Returns what is missing."""
    from playwright.sync_api import Error

    # The email's comes last, because it deletes a key.
    files = sorted(mocks.glob("*.png"), key=lambda file: (file.stem.startswith(_EMAIL), file))
    if not files:
        return [f"{mocks} has no PNG files. Name a folder of mocks: make mocks MOCKS=folder"]
    folder.mkdir(parents=True, exist_ok=True)
    missing: list[str] = []
    with visited() as (browser, demo, visitors, ids):
        for file in files:
            mock = read_mock(file)
            if mock is None:
                missing.append(f"{file.name}: no such screen")
                continue
            try:
                ours = _ours(browser, visitors, demo, mock, ids)
            except Error as error:
                missing.append(f"{file.name}: {error.message.splitlines()[0]}")
            else:
                _pair(browser, mock, ours, folder / file.name)
    return missing


if __name__ == "__main__":
    if problems := main(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.exit("\n".join(problems))

"""Generates the README's screenshots from a demo in a temporary folder.

Run ``python -m tests.browser.screenshots FOLDER``. No screenshot shows a usable secret: it is
masked, and its key is deleted before the demo and its database are removed.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

_SCHEMES: Final = ("light", "dark")
_SIZE: Final = {"width": 1280, "height": 860}
_ATTEMPTS: Final = 600
#: How many keys the first picture shows.
_KEYS: Final = 5
_DEVELOPER: Final = "/o/acme/settings/developer/"


@contextmanager
def _demo() -> Iterator[tuple[str, str]]:
    """Runs a demo; yields its URL and password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "manage.py", "demo", "--port", str(port)]
        log = Path(folder) / "log"
        with log.open("wb") as out:
            environment = {**os.environ, "VAR_DIR": str(Path(folder) / "var")}
            process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
            try:
                yield _ready(f"http://localhost:{port}", log)
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(30)


def _ready(address: str, log: Path) -> tuple[str, str]:
    transport = httpx.HTTPTransport(retries=0)
    for _ in range(_ATTEMPTS):
        try:
            with httpx.Client(transport=transport, trust_env=False) as client:
                client.get(f"{address}/readyz")
        except httpx.TransportError:
            transport = httpx.HTTPTransport(retries=3)
            continue
        found = re.search(r"Password\s+(\S+)", log.read_text())
        if found:
            return address, found[1]
    raise SystemExit(log.read_text())


def _picture(page: Any, folder: Path, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=str(folder / f"{name}.png"))


def _picture_of_keys(page: Any, folder: Path, name: str) -> None:
    """The page down to its fifth key; the demo's newest five keys are in different states."""
    page.wait_for_load_state("networkidle")
    row = page.locator(".list tbody tr").nth(_KEYS - 1).bounding_box()
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
    page.get_by_label("Secret key").wait_for()
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
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with _demo() as (address, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        )
        for scheme in _SCHEMES:
            _take(browser, address, password, scheme, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

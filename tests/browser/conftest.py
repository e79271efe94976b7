"""A real browser and server. Anything that the CSP blocks or a script throws fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from organizations.models import Organization, User
from tests.browser.launch import FLAGS
from tests.factories import PASSWORD
from tests.reliability.live.conftest import Server, server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["server"]

_FLAGS: Final = (
    *FLAGS,
    # A name that is no loopback address to the browser, so that its origin is insecure.
    "--host-resolver-rules=MAP testserver 127.0.0.1",
)
OpenPage = Callable[..., "Page"]


def _missing(what: str) -> None:
    message = f"{what} is not there; “make test-browser” needs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """One Chromium for all tests, with its back/forward cache as people have it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright")
    path = shutil.which("chromium")
    if path is None:
        _missing("Debian's chromium")
    # Playwright's loop runs in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=list(_FLAGS),
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def _violations(text: str) -> list[str]:
    return [text] if "Content Security" in text else []


@pytest.fixture
def open_page(chromium: "Browser", server: Server) -> Iterator[OpenPage]:
    """Opens a page in a context of its own; `host` names the server otherwise."""
    contexts: list[Any] = []
    troubles: list[str] = []

    def make(*, host: str = "127.0.0.1", permissions: tuple[str, ...] = (), **how: Any) -> "Page":
        address = server.address.replace("127.0.0.1", host)
        context = chromium.new_context(base_url=address, permissions=list(permissions), **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.extend(_violations(message.text)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not troubles


@pytest.fixture
def sign_in(open_page: OpenPage, acme: Organization, admin: User) -> OpenPage:
    """Opens the page of Acme's admin, signed in through the form."""

    def make(**how: Any) -> "Page":
        page = open_page(**how)
        page.goto("/accounts/login/?next=/o/acme/settings/developer/")
        page.get_by_label("Email").fill(admin.email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**/o/acme/settings/developer/")
        return page

    return make

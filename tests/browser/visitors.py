"""People in a browser, signed in through the form, and their way to each of the `places`."""

import base64
import hmac
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tests.browser.places import DEVELOPER, FACTOR, SETTINGS, Ids, Place

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

#: Who looks: None is nobody signed in. The guarded person has a second factor.
EMAILS: Final[Mapping[str, str | None]] = {
    "nobody": None,
    "admin": "admin@acme.example",
    "member": "member@acme.example",
    "staff": "staff@latchkey.example",
    "guarded": "admin@globex.example",
}


class Visitors:
    """Contexts of a browser, one for each kind of person, signed in through the form."""

    def __init__(self, browser: "Browser", address: str, password: str, **how: Any) -> None:
        self._browser, self._address, self._how = browser, address, how
        self._password = password
        self._contexts: dict[str, BrowserContext] = {}
        #: What the CSP blocked or a script threw.
        self.troubles: list[str] = []

    def of(self, who: str) -> "BrowserContext":
        """The context of `who`, opened at the first call."""
        if who not in self._contexts:
            self._contexts[who] = self._enter(who)
        return self._contexts[who]

    def plain(self, who: str) -> "BrowserContext":
        """One without scripts, in the same session."""
        name = f"{who} without scripts"
        if name not in self._contexts:
            self._contexts[name] = self._browser.new_context(
                base_url=self._address,
                java_script_enabled=False,
                storage_state=self.of(who).storage_state(),
            )
        return self._contexts[name]

    def blocked(self, who: str) -> "BrowserContext":
        """One whose scripts don't load. Unlike `plain`, checks can run there."""
        name = f"{who} with blocked scripts"
        if name not in self._contexts:
            context = self._browser.new_context(
                base_url=self._address, storage_state=self.of(who).storage_state()
            )
            context.route(re.compile(r"\.js(\?|$)"), lambda route: route.abort())
            self._contexts[name] = context
        return self._contexts[name]

    def close(self) -> None:
        for context in self._contexts.values():
            context.close()

    def _enter(self, who: str) -> "BrowserContext":
        context = self._browser.new_context(base_url=self._address, **self._how)
        context.set_default_timeout(15_000)
        context.on("console", lambda message: self._hear(message.text))
        context.on("weberror", lambda error: self.troubles.append(str(error.error)))
        email = EMAILS[who]
        if email:
            page = context.new_page()
            sign_in(page, email, self._password)
            if who == "guarded":
                add_second_factor(page)
            page.close()
        return context

    def _hear(self, text: str) -> None:
        if "Content Security" in text:
            self.troubles.append(text)


def sign_in(page: "Page", email: str, password: str) -> None:
    """Signs in with the password, on the form."""
    page.goto("/accounts/login/?next=/accounts/email/")
    page.locator("[name=login]").fill(email)
    page.locator("[name=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def add_second_factor(page: "Page") -> None:
    """Turns on an authenticator app, by the page of it."""
    page.goto(f"{FACTOR}totp/activate/")
    secret = page.get_by_label("Secret for the app").input_value()
    page.locator("[name=code]").fill(_code(secret))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{FACTOR}recovery-codes/**")


def _code(secret: str) -> str:
    """The code that an app shows now (RFC 6238)."""
    counter = int(time.time() // 30).to_bytes(8, "big")
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def find_ids(context: "BrowserContext", **known: str) -> Ids:
    """IDs of the demo's objects, from the links of its pages."""
    page = context.new_page()

    def linked(path: str, pattern: str) -> str:
        page.goto(path)
        found = re.search(pattern, page.content())
        if found is None:
            raise LookupError(f"{path} has no link like {pattern}")
        return found[1]

    ids = {
        "key": linked(f"{DEVELOPER}?q=Production", r"/keys/(key_\w+)/"),
        "template": linked(f"{DEVELOPER}templates/", r"/templates/(tpl_\w+)/"),
        "account": linked(f"{DEVELOPER}service-accounts/", r"/service-accounts/(\w+_\w+)/"),
        "member": linked(f"{SETTINGS}members/", r"/members/([0-9a-f-]{36})/remove/"),
    }
    page.close()
    return Ids({**ids, **known})


def go(page: "Page", place: Place, ids: Ids) -> None:
    """Opens the place and does its steps."""
    page.goto(ids.fill(place.path))
    for step in place.steps:
        _take(page, ids.fill(step))
    page.wait_for_load_state("networkidle")


def _take(page: "Page", step: str) -> None:
    dialog = page.locator("dialog[open]:not(.sheet *)")
    scope: Page | Locator = dialog if dialog.count() else page
    if step.startswith("text:"):
        _press_text(scope, step.removeprefix("text:"))
    elif step.startswith("wait:"):
        text = step.removeprefix("wait:")
        scope.get_by_text(text).filter(visible=True).first.wait_for()
    elif "=" in step:
        label, _, value = step.partition("=")
        _enter(scope.get_by_label(label, exact=True), value)
    else:
        _press(scope, step)
    page.wait_for_load_state("networkidle")


def _enter(field: "Locator", value: str) -> None:
    if field.evaluate("element => element.matches('select')"):
        field.select_option(label=value)
    else:
        field.fill(value)


def _press(scope: Any, name: str) -> None:
    named = (
        scope.get_by_role("link", name=name, exact=True)
        .or_(scope.get_by_role("button", name=name, exact=True))
        .or_(scope.get_by_label(name, exact=True))
    )
    _click(named.filter(visible=True).first)


def _press_text(scope: Any, text: str) -> None:
    found = scope.locator("a, button, summary").filter(has_text=re.compile(rf"^\s*{text}"))
    _click(found.filter(visible=True).first)


def _click(target: "Locator") -> None:
    """Presses, and waits until the dialog is open or its form has been answered.

    A page's network counts as idle until the request of the press has begun.
    """
    page = target.page
    opens = target.evaluate("element => element.matches('a[data-dialog]')")
    target.click()
    if opens:
        page.locator("#dialog[open] [data-dialog-content]").wait_for()
    page.locator("#dialog [aria-busy=true]").wait_for(state="detached")

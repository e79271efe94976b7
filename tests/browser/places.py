"""Every page and dialog of the product, by URL, for what has to look at all of them.

`PLACES` is the table. Its test fails if a route that shows a page has neither a row here nor a
reason in `ELSEWHERE`.
"""

import base64
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

_SETTINGS: Final = "/o/acme/settings/"
_DEVELOPER: Final = f"{_SETTINGS}developer/"
_KEY: Final = f"{_DEVELOPER}keys/{{key}}/"
_TEMPLATE: Final = f"{_DEVELOPER}templates/{{template}}/"
_ROBOT: Final = f"{_DEVELOPER}service-accounts/{{account}}/"
_FACTOR: Final = "/accounts/2fa/"

_TOPICS: Final = (
    *("authentication", "environments", "create", "permissions", "rotate", "delete", "calls"),
    *("errors", "limits", "formats", "scanning", "changes"),
)

#: Who looks: None is nobody signed in. The guarded person has a second factor.
EMAILS: Final[Mapping[str, str | None]] = {
    "nobody": None,
    "admin": "admin@acme.example",
    "member": "member@acme.example",
    "staff": "staff@latchkey.example",
    "guarded": "admin@globex.example",
}


@dataclass(frozen=True)
class Place:
    """A page, or what opens on it.

    `path` may hold names of `Ids`. `steps` happen on the page: what is pressed by its accessible
    name, or by how its text begins (``text:``), a field and what is entered (``Name=Web shop``),
    or what is waited for (``wait:``).
    """

    name: str
    path: str
    who: str = "admin"
    steps: tuple[str, ...] = ()
    #: Also looked at without scripts.
    plain: bool = False


@dataclass(frozen=True)
class Look:
    """A window and a theme."""

    theme: str
    width: int

    def apply(self, page: "Page") -> None:
        """Makes the page look so, without loading it again."""
        page.emulate_media(
            color_scheme="dark" if self.theme == "dark" else "light",
            forced_colors="active" if self.theme == "forced" else "none",
            reduced_motion="reduce",  # a color on its way to another is neither
        )
        page.set_viewport_size({"width": self.width, "height": _HEIGHTS[self.width]})


_HEIGHTS: Final = {1280: 900, 768: 1024, 375: 812, 320: 640}
LOOKS: Final = tuple(
    Look(theme, width) for theme, width in product(("light", "dark", "forced"), _HEIGHTS)
)


def _admin(*rows: tuple[str, str], plain: bool = False) -> list[Place]:
    return [Place(name, path, plain=plain) for name, path in rows]


PLACES: Final[tuple[Place, ...]] = (
    *_admin(
        ("keys", _DEVELOPER),
        ("key", _KEY),
        ("key-create", f"{_DEVELOPER}keys/create/"),
        ("key-edit", f"{_KEY}edit/"),
        ("key-rotate", f"{_KEY}rotate/"),
        ("key-disable", f"{_KEY}switch/"),
        ("key-delete", f"{_KEY}delete/"),
        ("keys-delete", f"{_DEVELOPER}keys/delete/?key={{key}}"),
        ("keys-disable", f"{_DEVELOPER}keys/disable/?key={{key}}"),
        ("keys-enable", f"{_DEVELOPER}keys/enable/?key={{key}}"),
        ("test", f"{_DEVELOPER}test/"),
        ("usage", f"{_DEVELOPER}usage/"),
        ("activity", f"{_DEVELOPER}activity/"),
        ("access", f"{_DEVELOPER}access/"),
        ("general", _SETTINGS),
        ("members", f"{_SETTINGS}members/"),
        plain=True,
    ),
    *_admin(
        ("keys-none", "/o/acme-labs/settings/developer/"),
        ("keys-no-match", f"{_DEVELOPER}?q=foo"),
        ("usage-of-a-key", f"{_DEVELOPER}usage/?key={{key}}"),
        ("templates", f"{_DEVELOPER}templates/"),
        ("template-create", f"{_DEVELOPER}templates/create/"),
        ("template-edit", f"{_TEMPLATE}edit/"),
        ("template-delete", f"{_TEMPLATE}delete/"),
        ("service-accounts", f"{_DEVELOPER}service-accounts/"),
        ("service-account-create", f"{_DEVELOPER}service-accounts/create/"),
        ("service-account", _ROBOT),
        ("service-account-edit", f"{_ROBOT}edit/"),
        ("service-account-disable", f"{_ROBOT}switch/"),
        ("service-account-delete", f"{_ROBOT}delete/"),
        ("member-remove", f"{_SETTINGS}members/{{member}}/remove/"),
        ("member-invite", f"{_SETTINGS}members/invite/"),
        ("leave", f"{_SETTINGS}leave/"),
        ("organization-close", f"{_SETTINGS}close/"),
        ("organization-export", f"{_SETTINGS}export/"),
        ("organization-new", "/organizations/new/"),
        ("email", "/accounts/email/"),
        ("password-change", "/accounts/password/change/"),
        ("notifications", "/accounts/notifications/"),
        ("sessions", "/accounts/sessions/"),
        ("your-data", "/accounts/data/"),
        ("sign-out", "/accounts/logout/"),
        ("reauthenticate", "/accounts/reauthenticate/"),
        ("security", _FACTOR),
        ("app-add", f"{_FACTOR}totp/activate/"),
        ("passkeys", f"{_FACTOR}webauthn/"),
        ("passkey-add", f"{_FACTOR}webauthn/add/"),
        ("invitation-wrong-person", "/invitations/{invitation}/"),
        ("not-found", f"{_DEVELOPER}nothing/"),
    ),
    # Dialogs
    Place("dialog-create", _DEVELOPER, steps=("Create API key",)),
    Place(
        "dialog-secret", _DEVELOPER, steps=("Create API key", "Name=Web shop {number}", "Create")
    ),
    Place("dialog-test", _DEVELOPER, steps=("Test API key",)),
    Place(
        "dialog-test-result",
        _DEVELOPER,
        steps=("Test API key", "API key={secret}", "Run test", "wait:200"),
    ),
    Place("dialog-delete", _DEVELOPER, steps=("Delete Production",)),
    Place("dialog-delete-unused", _DEVELOPER, steps=("Delete CI",)),
    Place("menu", _DEVELOPER, steps=("More for Production",)),
    Place("dialog-edit", _DEVELOPER, steps=("More for Production", "text:Edit")),
    Place("dialog-rotate", _DEVELOPER, steps=("More for Production", "text:Rotate")),
    Place("dialog-disable", _DEVELOPER, steps=("More for Production", "text:Disable")),
    Place("selected", _DEVELOPER, steps=("Select Production", "Select Trial")),
    # Members see less
    Place("member-general", _SETTINGS, "member"),
    Place("member-members", f"{_SETTINGS}members/", "member"),
    Place("member-templates", f"{_DEVELOPER}templates/", "member"),
    Place("forbidden", _DEVELOPER, "member"),
    # Two-factor authentication is set up
    Place("guarded-security", _FACTOR, "guarded"),
    Place("app-remove", f"{_FACTOR}totp/deactivate/", "guarded"),
    Place("recovery-codes", f"{_FACTOR}recovery-codes/", "guarded"),
    Place("recovery-codes-new", f"{_FACTOR}recovery-codes/generate/", "guarded"),
    Place("reauthenticate-by-code", f"{_FACTOR}reauthenticate/", "guarded"),
    # Signed out
    Place("sign-in", "/accounts/login/", "nobody", plain=True),
    Place("sign-up", "/accounts/signup/", "nobody", plain=True),
    Place("reset", "/accounts/password/reset/", "nobody"),
    Place("reset-sent", "/accounts/password/reset/done/", "nobody"),
    Place("reset-new", "/accounts/password/reset/key/{reset}/", "nobody"),
    Place("reset-done", "/accounts/password/reset/key/done/", "nobody"),
    Place("confirm-sent", "/accounts/confirm-email/", "nobody"),
    Place("confirm-outdated", "/accounts/confirm-email/outdated/", "nobody"),
    Place("inactive", "/accounts/inactive/", "nobody"),
    Place("invitation", "/invitations/{invitation}/", "nobody"),
    Place("not-found-signed-out", "/nothing/", "nobody"),
    # The guide
    Place("guide", "/docs/", plain=True),
    Place("guide-signed-out", "/docs/", "nobody"),
    Place("guide-search", "/docs/search/?q=rotate"),
    *(Place(f"guide-{topic}", f"/docs/{topic}/") for topic in _TOPICS),
    # Staff
    Place("design", "/design/", "staff"),
    Place("admin", "/admin/", "staff"),
    Place("admin-keys", "/admin/apikeys/apikey/", "staff"),
    Place("admin-organizations", "/admin/organizations/organization/", "staff"),
    Place("admin-people", "/admin/organizations/user/", "staff"),
    Place("admin-log", "/admin/organizations/auditevent/", "staff"),
)

#: Routes without a row, by how they begin, and why.
ELSEWHERE: Final[Mapping[str, str]] = {
    "v1/": "API",
    "envelope/": "API",
    "api/": "API",
    "(?:v1|envelope|api)": "API",
    "livez": "a check",
    "readyz": "a check",
    "theme/": "takes forms only",
    "favicon.ico": "a picture",
    "robots.txt": "a text for machines",
    ".well-known/": "for machines",
    "o/<slug:slug>/settings/developer/keys/export/": "a download",
    "accounts/notifications/off/": "needs a link from an email; tests/pages has one",
    "o/<slug:slug>/settings/expiry/": "leads to the general page",
    "o/<slug:slug>/settings/developer/activity/export/": "a download",
    "o/<slug:slug>/settings/developer/usage/export/": "a download",
    "accounts/2fa/recovery-codes/download/": "a download",
    "o/<slug:slug>/settings/members/<uuid:member_id>/role/": "leads to the members",
    "o/<slug:slug>/settings/members/invitations/": "leads to the members",
    "accounts/login/code/confirm/": "leads to the sign-in, unless one waits for a code",
    "accounts/password/set/": "leads to the change, for people with a password",
    "accounts/2fa/authenticate/": "leads to the sign-in, unless one waits for a code",
    "accounts/2fa/webauthn/login/": "data for a script",
    "accounts/2fa/webauthn/reauthenticate/": "needs a passkey; test_passkeys.py has one",
    "accounts/2fa/webauthn/keys/": "needs a passkey; test_passkeys.py has one",
    "admin/": "built by Django from the lists above",
}


@dataclass
class Ids:
    """What fills the places of paths and steps."""

    values: dict[str, str]
    number: int = 0

    def fill(self, text: str) -> str:
        """`text` with the values. Each ``{number}`` is a new one."""
        if "{number}" in text:
            self.number += 1
        return text.format(**self.values, number=self.number)


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
    page.goto(f"{_FACTOR}totp/activate/")
    secret = page.get_by_label("Secret for the app").input_value()
    page.locator("[name=code]").fill(_code(secret))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{_FACTOR}recovery-codes/**")


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
        "key": linked(f"{_DEVELOPER}?q=Production", r"/keys/(key_\w+)/"),
        "template": linked(f"{_DEVELOPER}templates/", r"/templates/(tpl_\w+)/"),
        "account": linked(f"{_DEVELOPER}service-accounts/", r"/service-accounts/(\w+_\w+)/"),
        "member": linked(f"{_SETTINGS}members/", r"/members/([0-9a-f-]{36})/remove/"),
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
        scope.get_by_label(label, exact=True).fill(value)
    else:
        _press(scope, step)
    page.wait_for_load_state("networkidle")


def _press(scope: Any, name: str) -> None:
    named = (
        scope.get_by_role("link", name=name, exact=True)
        .or_(scope.get_by_role("button", name=name, exact=True))
        .or_(scope.get_by_label(name, exact=True))
    )
    named.filter(visible=True).first.click()


def _press_text(scope: Any, text: str) -> None:
    found = scope.locator("a, button, summary").filter(has_text=re.compile(rf"^\s*{text}"))
    found.filter(visible=True).first.click()

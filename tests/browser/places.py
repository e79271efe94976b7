"""Every page and dialog of the product, by URL, for what has to look at all of them.

`visitors` opens them.

`PLACES` is the table. Its test fails if a route that shows a page has neither a row here nor a
reason in `ELSEWHERE`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playwright.sync_api import Page

SETTINGS: Final = "/o/acme/settings/"
DEVELOPER: Final = f"{SETTINGS}developer/"
_KEY: Final = f"{DEVELOPER}keys/{{key}}/"
_TEMPLATE: Final = f"{DEVELOPER}templates/{{template}}/"
_ROBOT: Final = f"{DEVELOPER}service-accounts/{{account}}/"
FACTOR: Final = "/accounts/2fa/"

_TOPICS: Final = (
    *("authentication", "environments", "create", "permissions", "rotate", "delete", "calls"),
    *("errors", "limits", "formats", "scanning", "changes"),
)


@dataclass(frozen=True)
class Place:
    """A page, or what opens on it.

    `path` may hold names of `Ids`. `steps` happen on the page: what is pressed by its accessible
    name, or by how its text begins (``text:``), a field and what is entered or chosen
    (``Name=Web shop``), or what is waited for (``wait:``).
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
        ("keys", DEVELOPER),
        ("key", _KEY),
        ("key-create", f"{DEVELOPER}keys/create/"),
        ("key-edit", f"{_KEY}edit/"),
        ("key-rotate", f"{_KEY}rotate/"),
        ("key-disable", f"{_KEY}switch/"),
        ("key-delete", f"{_KEY}delete/"),
        ("keys-delete", f"{DEVELOPER}keys/delete/?key={{key}}"),
        ("keys-disable", f"{DEVELOPER}keys/disable/?key={{key}}"),
        ("keys-enable", f"{DEVELOPER}keys/enable/?key={{key}}"),
        ("test", f"{DEVELOPER}test/"),
        ("usage", f"{DEVELOPER}usage/"),
        ("activity", f"{DEVELOPER}activity/"),
        ("access", f"{DEVELOPER}access/"),
        ("general", SETTINGS),
        ("members", f"{SETTINGS}members/"),
        plain=True,
    ),
    *_admin(
        ("keys-none", "/o/acme-labs/settings/developer/"),
        ("keys-no-match", f"{DEVELOPER}?q=foo"),
        ("usage-of-a-key", f"{DEVELOPER}usage/?key={{key}}"),
        ("templates", f"{DEVELOPER}templates/"),
        ("template-create", f"{DEVELOPER}templates/create/"),
        ("template-edit", f"{_TEMPLATE}edit/"),
        ("template-delete", f"{_TEMPLATE}delete/"),
        ("service-accounts", f"{DEVELOPER}service-accounts/"),
        ("service-account-create", f"{DEVELOPER}service-accounts/create/"),
        ("service-account", _ROBOT),
        ("service-account-edit", f"{_ROBOT}edit/"),
        ("service-account-disable", f"{_ROBOT}switch/"),
        ("service-account-delete", f"{_ROBOT}delete/"),
        ("member-remove", f"{SETTINGS}members/{{member}}/remove/"),
        ("member-invite", f"{SETTINGS}members/invite/"),
        ("leave", f"{SETTINGS}leave/"),
        ("organization-close", f"{SETTINGS}close/"),
        ("organization-export", f"{SETTINGS}export/"),
        ("organization-new", "/organizations/new/"),
        ("email", "/accounts/email/"),
        ("password-change", "/accounts/password/change/"),
        ("notifications", "/accounts/notifications/"),
        ("sessions", "/accounts/sessions/"),
        ("your-data", "/accounts/data/"),
        ("sign-out", "/accounts/logout/"),
        ("reauthenticate", "/accounts/reauthenticate/"),
        ("security", FACTOR),
        ("app-add", f"{FACTOR}totp/activate/"),
        ("passkeys", f"{FACTOR}webauthn/"),
        ("passkey-add", f"{FACTOR}webauthn/add/"),
        ("invitation-wrong-person", "/invitations/{invitation}/"),
        ("not-found", f"{DEVELOPER}nothing/"),
    ),
    # Dialogs
    Place("dialog-create", DEVELOPER, steps=("Create API key",)),
    Place(
        "dialog-secret",
        DEVELOPER,
        steps=("Create API key", "Name=Web shop {number}", "Create key"),
    ),
    Place("dialog-test", DEVELOPER, steps=("Test API key",)),
    Place(
        "dialog-test-result",
        DEVELOPER,
        steps=("Test API key", "API key={secret}", "Run test", "wait:200"),
    ),
    Place("dialog-delete", DEVELOPER, steps=("Delete Production",)),
    Place("dialog-delete-unused", DEVELOPER, steps=("Delete CI",)),
    Place("menu", DEVELOPER, steps=("More for Production",)),
    Place("dialog-edit", DEVELOPER, steps=("More for Production", "text:Edit")),
    Place("dialog-rotate", DEVELOPER, steps=("More for Production", "text:Rotate")),
    Place("dialog-disable", DEVELOPER, steps=("More for Production", "text:Disable")),
    Place("selected", DEVELOPER, steps=("Select Production", "Select Trial")),
    # Members see less
    Place("member-general", SETTINGS, "member"),
    Place("member-members", f"{SETTINGS}members/", "member"),
    Place("member-templates", f"{DEVELOPER}templates/", "member"),
    Place("forbidden", DEVELOPER, "member"),
    # Two-factor authentication is set up
    Place("guarded-security", FACTOR, "guarded"),
    Place("app-remove", f"{FACTOR}totp/deactivate/", "guarded"),
    Place("recovery-codes", f"{FACTOR}recovery-codes/", "guarded"),
    Place("recovery-codes-new", f"{FACTOR}recovery-codes/generate/", "guarded"),
    Place("reauthenticate-by-code", f"{FACTOR}reauthenticate/", "guarded"),
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

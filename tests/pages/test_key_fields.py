"""Neither password managers nor browsers offer to save the content of fields for keys."""

import re
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from django.test import Client

from apikeys.services import Issued
from config.env import ROOT
from organizations.models import Organization, User
from tests.admin.support import IP, enter
from tests.pages.support import developer, sign_in, submission_of

#: What 1Password, LastPass, Bitwarden and Dashlane look for, and what browsers do.
KEPT_OUT: Final = {
    "type": "text",
    "autocomplete": "off",
    "autocapitalize": "off",
    "autocorrect": "off",
    "spellcheck": "false",
    "data-1p-ignore": None,
    "data-lpignore": "true",
    "data-bwignore": None,
    "data-form-type": "other",
}
DIALOG: Final = {"X-Dialog": "1"}


class Fields(HTMLParser):
    """The input fields of a page that hold a key or take one."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.passwords = 0
        self.feed(answer.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        field = dict(attrs)
        if tag != "input" or field.get("type") == "checkbox":
            return
        self.passwords += field.get("type") == "password"
        if field.get("name") == "key" or "data-secret-value" in field:
            self.found.append(field)


def _assert_kept_out(answer: Any, number: int, *, masked: bool = True) -> None:
    fields = Fields(answer)
    assert len(fields.found) == number
    assert fields.passwords == 0
    for field in fields.found:
        assert {name: field.get(name, "missing") for name in KEPT_OUT} == KEPT_OUT
        assert (field.get("class") == "masked") is masked


@pytest.mark.parametrize("headers", [{}, DIALOG], ids=["page", "dialog"])
def test_on_the_test_page(browser: Client, acme: Organization, headers: dict[str, str]) -> None:
    _assert_kept_out(browser.get(developer(acme, "test/"), headers=headers), 1)
    refused = browser.post(developer(acme, "test/"), {"key": "x"}, headers=headers)
    _assert_kept_out(refused, 1)


def test_at_each_call_of_the_guide(db: None, client: Client) -> None:
    _assert_kept_out(client.get("/docs/calls/", HTTP_HOST="testserver"), 12)


def test_on_a_new_secret(browser: Client, acme: Organization, manager: Issued) -> None:
    for address, fields in (
        (developer(acme, "keys/create/"), {"name": "Production"}),
        (developer(acme, f"keys/{manager.key.public_id}/rotate/"), {"grace": "0"}),
    ):
        form = browser.get(address, headers=DIALOG)
        sent = {**fields, "submission": submission_of(form)}
        answer = browser.post(address, sent, headers=DIALOG)
        assert "Store your new key" in answer.content.decode()
        _assert_kept_out(answer, 1)


def test_on_a_secret_that_staff_have_made(staff: User, acme: Organization) -> None:
    client = enter(Client(REMOTE_ADDR=IP), staff)
    fields = {"organization": acme.pk, "name": "Handed over", "environment": "live"}

    answer = client.post("/admin/apikeys/apikey/add/", {**fields, "scopes": ["search:read"]})

    _assert_kept_out(answer, 1, masked=False)


def test_no_template_writes_such_a_field_by_itself() -> None:
    texts = {path: path.read_text() for path in (ROOT / "templates").rglob("*.html")}
    texts.pop(ROOT / "templates/design/code.html")  # an example without a secret
    fields = [
        (path.name, field)
        for path, text in texts.items()
        for field in re.findall(r"(?s)<input (?:{%.*?%}|[^>])*>", text)
        if "data-secret-value" in field or 'name="key"' in field
        if 'type="checkbox"' not in field and 'type="hidden"' not in field
    ]
    attributes = '{% include "parts/key_field.html"'

    assert len(fields) == 4
    assert [name for name, field in fields if attributes not in field] == []


def test_dark_systems_see_no_white_page_first(staff: User, client: Client) -> None:
    pages = [
        client.get("/docs/"),
        client.get("/nothing/"),
        sign_in(staff).get("/organizations/new/"),
    ]
    for page in [*pages, enter(Client(REMOTE_ADDR=IP), staff).get("/admin/")]:
        head = page.content.decode().partition("</head>")[0]
        assert '<meta name="color-scheme" content="light dark">' in head

"""The guide is public and complete, and shows signed-in users their own account."""

import re
from typing import Any

import pytest
from django.test import Client

from apikeys.api import authentication
from apikeys.api.errors import ERROR_TYPES
from apikeys.guide.errors import ERRORS
from apikeys.guide.examples import EXAMPLES, LANGUAGES
from apikeys.services import Issued
from config.env import ROOT
from core.exceptions import ErrorCode
from organizations.models import Organization, User
from tests.pages.support import html, sign_in
from tests.support.client import ApiClient

PAGES = ["/docs/", "/docs/calls/", "/docs/errors/", "/docs/formats/", "/docs/changes/"]


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text


@pytest.mark.parametrize("address", PAGES)
def test_everybody_may_read(db: None, client: Client, address: str) -> None:
    page = client.get(address)

    assert page.status_code == 200
    assert not re.search(r"<[^>]+ (?:style|on[a-z]+)=", _text(page))
    for other in PAGES:
        assert f'href="{other}"' in _text(page)


def test_every_link_leads_somewhere(acme: Organization, admin: User) -> None:
    client = sign_in(admin)
    links = {
        link.partition("#")[0]
        for address in PAGES
        for link in re.findall(r'href="(/[^"]*)"', _text(client.get(address)))
    }

    assert {link: client.get(link).status_code for link in links if "/static/" not in link} == {
        link: (302 if link == "/" else 200) for link in links if "/static/" not in link
    }


def test_the_readers_own_account_is_filled_in(
    acme: Organization, admin: User, globex: Organization, client: Client
) -> None:
    mine, strangers = _text(sign_in(admin).get("/docs/calls/")), _text(client.get("/docs/calls/"))

    assert f"/v1/accounts/{acme.public_id}/templates" in mine
    assert "ACCOUNT_ID/" not in mine
    assert globex.public_id not in mine
    assert acme.public_id not in strangers
    assert "/v1/accounts/ACCOUNT_ID/templates" in strangers


def test_each_operation_is_in_each_language(db: None, client: Client) -> None:
    text = _text(client.get("/docs/calls/"))

    for name in EXAMPLES:
        assert f'id="{name}"' in text
        assert all(f'id="{name}-{n + 1}"' in text for n in range(len(LANGUAGES)))


def test_every_code_has_an_anchor(db: None, client: Client) -> None:
    codes = {
        *ErrorCode,
        *(code for code, _ in authentication._ENDED.values()),
        *set(ERROR_TYPES.values()) - {"unauthorized"},
        *(authentication.INVALID_KEY_CODE, "api_access_disabled"),
    }
    text = _text(client.get("/docs/errors/"))

    assert codes <= {code for _, code, _, _ in ERRORS}
    assert all(f'id="{code}"' in text for code in codes)
    assert len({code for _, code, _, _ in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize("path", ["/v1/api-keys", "/envelope/v1/api-keys", "/v1/nowhere"])
def test_an_error_leads_to_its_explanation(
    call: ApiClient, client: Client, reader: Issued, settings: Any, path: str
) -> None:
    settings.API_BASE_URL = "https://keys.example.com"
    body = call("GET", path, key=reader).body

    link = body["docUrl"] if "docUrl" in body else body["error"]["doc_url"]
    address, _, anchor = link.removeprefix("https://keys.example.com").partition("#")
    assert f'id="{anchor}"' in _text(client.get(address))


def test_the_changes_of_the_api_are_a_page(client: Client, db: None) -> None:
    page = _text(client.get("/docs/changes/"))

    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions
    assert re.findall("<h2>(.+?)</h2>", page) == ["Current version", *versions[1:]]
    assert "These changes are live on this server." in page
    assert "Unreleased" not in page


def test_the_changes_of_the_api_name_nothing_of_the_operator(client: Client, db: None) -> None:
    article = (
        _text(client.get("/docs/changes/")).partition("<article")[2].partition("</article>")[0]
    )

    assert "<code>Idempotency-Key</code>" in article
    for word in ("manage.py", "Django", "admin", "make ", ".md", "PostgreSQL", "Redis"):
        assert word not in article
    assert not re.search("[A-Z]+_[A-Z_]+", article), "a setting"


def test_the_guide_has_every_subject_under_an_anchor_of_its_own(db: None, client: Client) -> None:
    subjects = ["two-minutes", "create", "use", "test", "rotate", "retry", "revoke"]
    subjects += ["scopes", "environments", "limits", "scanning"]

    assert re.findall(r'<h2 id="([a-z-]+)">', _text(client.get("/docs/"))) == subjects


@pytest.mark.parametrize(("factor", "together"), [(10, "60,000"), (0, None)])
def test_the_guide_tells_both_limits(
    db: None, client: Client, settings: Any, factor: int, together: str | None
) -> None:
    settings.ORGANIZATION_RATE_LIMIT_FACTOR = factor

    text = _text(client.get("/docs/"))

    assert "6,000 requests a minute for each key" in text
    words = "requests a minute for all keys of the organization together"
    assert (f"{together} {words}" in text) == bool(together)
    assert ("All keys of an organization together have a limit too" in text) == bool(together)

"""The guide is public and complete, and shows signed-in users their own account."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from apikeys.api import authentication
from apikeys.api.errors import ERROR_TYPES
from apikeys.guide import views
from apikeys.guide.contents import PAGES as CONTENTS
from apikeys.guide.contents import Page, index
from apikeys.guide.errors import ERRORS
from apikeys.guide.examples import EXAMPLES, LANGUAGES
from apikeys.guide.highlight import highlighted
from apikeys.services import Issued
from config.env import ROOT
from core.exceptions import ErrorCode
from organizations.models import Organization, User
from tests.pages.support import html, sign_in
from tests.support.client import ApiClient
from tests.support.domain import SECRET

PAGES = ["/docs/", *(f"/docs/{page.name}/" for page in CONTENTS if page.name != "start")]


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

    versions = re.findall(r"^## (\d\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    shown = re.findall('<h2 id="version-[a-z0-9-]+">(.+?)</h2>', page)
    assert versions
    assert [version for version in shown if version != "Current version"] == versions
    assert "Unreleased" not in page


def test_unreleased_changes_of_the_api_are_called_live(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = tmp_path / "changes.md"
    text.write_text("## Unreleased\n\n- <b>New</b>\n\n## 0.2.0\n")
    monkeypatch.setattr(views, "_CHANGES", text)
    views.changelog.cache_clear()

    page = _text(client.get("/docs/changes/")).partition("</main>")[0]

    views.changelog.cache_clear()
    assert re.findall("<h2 id=.+?>(.+?)</h2>", page) == ["Current version", "0.2.0"]
    assert "These changes are live on this server." in page
    assert "<b>New</b>" not in page


def test_the_changes_of_the_api_name_nothing_of_the_operator(client: Client, db: None) -> None:
    article = (
        _text(client.get("/docs/changes/")).partition("<article")[2].partition("</article>")[0]
    )

    assert "<code>Idempotency-Key</code>" in article
    for word in ("manage.py", "Django", "admin", "make ", ".md", "PostgreSQL", "Redis"):
        assert word not in article
    assert not re.search("[A-Z]+_[A-Z_]+", article), "a setting"


@pytest.mark.parametrize("page", [page for page in CONTENTS if page.sections])
def test_the_sections_of_a_page_are_those_of_its_contents(
    db: None, client: Client, page: Page
) -> None:
    text = _text(client.get(page.url))

    headings = re.findall(r'<h2 id="([\w-]+)">(.+?)</h2>', text.partition("</main>")[0])
    assert headings == [(section.anchor, section.title) for section in page.sections]
    contents = text.partition("On this page")[2]
    assert re.findall(r'href="#([\w-]+)"', contents) == [s.anchor for s in page.sections]


def test_links_to_subjects_that_were_on_the_first_page_lead_on(db: None, client: Client) -> None:
    text = _text(client.get("/docs/"))

    for subject in ("create", "use", "test", "rotate", "revoke", "scopes", "environments"):
        assert re.search(f'<li id="{subject}"><a href="/docs/[a-z]+/', text), subject
    for subject in ("two-minutes", "retry", "limits", "scanning"):
        assert f'id="{subject}"' in text


@pytest.mark.parametrize(
    ("query", "first", "others"),
    [
        ("rotate", "/docs/rotate/", ["/docs/calls/#rotate", "/docs/errors/#key_rotated"]),
        ("RATE limit", "/docs/limits/", []),
        ("key_limit_reached", "/docs/errors/#key_limit_reached", []),
        ("409", "/docs/errors/#name_taken", ["/docs/errors/#conflict"]),
        ("PATCH", "/docs/calls/#update", []),
        ("api-keys/current", "/docs/calls/#current", []),
    ],
)
def test_a_search_finds_pages_endpoints_and_errors(
    db: None, client: Client, query: str, first: str, others: list[str]
) -> None:
    text = _text(client.get("/docs/search/", {"q": query})).partition("data-index")[2]

    found = re.findall(r'<a href="([^"]+)"', text.partition("</ul>")[0])
    assert found[0] == first
    assert set(others) <= set(found)


def test_a_search_says_that_nothing_was_found_and_escapes_the_words(
    db: None, client: Client
) -> None:
    text = _text(client.get("/docs/search/", {"q": "<script>alert(1)</script>"}))

    assert "Nothing matches “&lt;script&gt;alert(1)&lt;/script&gt;”." in text
    assert "<script>alert" not in text


def test_an_empty_search_is_the_whole_index(db: None, client: Client) -> None:
    text = _text(client.get("/docs/search/"))

    assert text.count("data-words=") == len(index())
    links = {entry.url.partition("#")[0] for entry in index()}
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.parametrize(
    ("cookie", "chosen"),
    [("", "curl"), ("go", "go"), ("javascript", "javascript"), ('"><b>', "curl")],
)
def test_the_language_that_was_chosen_last_is_shown_first(
    db: None, client: Client, cookie: str, chosen: str
) -> None:
    client.cookies["guide_language"] = cookie
    text = _text(client.get("/docs/calls/"))

    shown = re.findall(
        r'class="sample is-chosen" role="tabpanel" id="\S+" data-language="(\w+)"', text
    )
    assert shown == [chosen] * len(EXAMPLES)
    selected = re.findall(r'data-language="(\w+)"[^>]+aria-selected="true"', text)
    assert selected == [chosen] * len(EXAMPLES)


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_colors_change_nothing_of_a_sample(language: str) -> None:
    for example in EXAMPLES.values():
        code = LANGUAGES[language](example, "https://api.example/<b>&amp;")
        colored = highlighted(language, code)

        assert unescape(re.sub(r'</?span(?: class="[ksnfq]")?>', "", colored)) == code
        assert 'class="s"' in colored
        assert "<b>" not in colored


def test_visitors_are_offered_to_sign_in_and_people_their_menu(
    db: None, client: Client, acme: Organization, admin: User
) -> None:
    visitor, person = _text(client.get("/docs/errors/")), _text(sign_in(admin).get("/docs/errors/"))

    assert 'href="/accounts/login/?next=/docs/errors/">Sign in</a>' in visitor
    assert "Sign in</a>" not in person
    assert str(admin) in person


def test_requests_to_another_host_are_not_offered(db: None, client: Client, settings: Any) -> None:
    settings.API_BASE_URL = "https://keys.example.com"

    assert "data-try" not in _text(client.get("/docs/"))
    assert "The API is on another host" in _text(client.get("/docs/"))


@pytest.mark.parametrize(("factor", "together"), [(10, "60,000"), (0, None)])
def test_the_guide_tells_both_limits(
    db: None, client: Client, settings: Any, factor: int, together: str | None
) -> None:
    settings.ORGANIZATION_RATE_LIMIT_FACTOR = factor

    text = _text(client.get("/docs/limits/"))

    assert 'data-label="Per key">6,000 requests per minute</td>' in text
    shown = re.findall('data-label="Organization">([0-9,]+) requests per minute</td>', text)
    assert shown[1:2] == ([together] if together else [])
    assert ("The keys of an organization also share a limit" in text) == bool(together)


def test_a_search_cuts_a_pasted_secret_to_its_prefix(db: None, client: Client) -> None:
    answer = client.get("/docs/search/", {"q": f"401 {SECRET}"}, follow=True)

    assert SECRET not in _text(answer)
    assert [SECRET in url for url, _ in answer.redirect_chain] == [False]
    assert f'value="401 {SECRET[:13]}"' in _text(answer)

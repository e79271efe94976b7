"""Titles: the page's own words, the organization, the product, so that tabs can be told apart."""

import html
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final

import pytest
from django.test import Client

from apikeys.services import Issued
from organizations.models import Organization, User
from tests.factories import InvitationFactory, ServiceAccountFactory, TemplateFactory
from tests.pages.support import developer, sign_in
from tests.support.links import Crawler

_TITLE: Final = re.compile(r"<title>(.*?)</title>", re.DOTALL)
#: Addresses that are states of one page.
_QUERY: Final = re.compile(r"[?#].*")


def title_of(answer: Any) -> str:
    """The title as a browser shows it."""
    (title,) = _TITLE.findall(answer.content.decode())
    return html.unescape(" ".join(title.split()))


def _titles(client: Client, *starts: str) -> dict[str, str]:
    """The title of each page that can be reached."""
    crawler = Crawler(client)
    crawler.crawl(*starts)
    pages = {_QUERY.sub("", address) for address, page in crawler.seen.items() if page}
    answers = [client.get(address, follow=True) for address in sorted(pages)]
    return {
        answer.request["PATH_INFO"]: title_of(answer)
        for answer in answers
        if answer.status_code == 200
    }


def _same(titles: dict[str, str]) -> dict[str, list[str]]:
    pages: defaultdict[str, list[str]] = defaultdict(list)
    for address, title in titles.items():
        pages[title].append(address)
    return {title: found for title, found in pages.items() if len(found) > 1}


@pytest.fixture
def full(acme: Organization, member: User, make_key: Callable[..., Issued]) -> None:
    """Something of each kind."""
    make_key(name="Production")
    TemplateFactory.create(organization=acme)
    ServiceAccountFactory.create(organization=acme)
    InvitationFactory.create(organization=acme)


def test_every_page_of_an_organization_names_itself_and_the_organization(
    full: None, acme: Organization, admin: User
) -> None:
    titles = _titles(sign_in(admin), developer(acme))
    inside = {address: title for address, title in titles.items() if address.startswith("/o/")}

    assert len(inside) > 15
    wrong = {a: t for a, t in inside.items() if not re.fullmatch(r"\S.* – Acme – Latchkey", t)}
    assert wrong == {}
    assert _same(inside) == {}
    assert inside[developer(acme, "usage/")] == "Usage – Acme – Latchkey"


def test_every_other_page_names_itself(full: None, admin: User) -> None:
    titles = _titles(sign_in(admin), "/accounts/email/", "/docs/", "/organizations/new/")
    titles |= _titles(Client(), "/accounts/login/", "/docs/")
    outside = {address: title for address, title in titles.items() if address[:3] != "/o/"}

    assert len(outside) > 15
    wrong = {a: t for a, t in outside.items() if not re.fullmatch(r"\S.* – Latchkey", t)}
    assert wrong == {}


@pytest.mark.parametrize("address", ["/nowhere/", "/o/acme/settings/nowhere/"])
def test_errors_have_a_title_too(acme: Organization, admin: User, address: str) -> None:
    answer = sign_in(admin).get(address)

    assert answer.status_code == 404
    assert re.fullmatch(r"\S.* – (Acme – )?Latchkey", title_of(answer))

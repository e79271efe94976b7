"""A secret that was pasted into a URL is cut before a page, a redirect or a message repeats it."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, unquote

import pytest
from django.test import Client

from apikeys.services import Issued
from core import cooldowns
from organizations.models import Organization
from tests.factories import PASSWORD, UserFactory
from tests.pages.support import developer, html, sign_in
from tests.support.domain import SECRET

#: What a URL may repeat of it.
PREFIX: Final = SECRET[:13]
REST: Final = SECRET[13:]
HIDDEN: Final = SECRET.replace("_", "%5F")
#: Pages that repeated their query in a form, a link or a message.
PAGES: Final = (
    "/o/acme/settings/developer/activity/?q={}",
    "/o/acme/settings/developer/keys/create/?name={}",
    "/o/acme/settings/developer/keys/{}/",
    "/organizations/new/?x={}",
    "/account/notifications/?{}=1",
    "/accounts/2fa/?x={}",
    "/accounts/email/?x={}",
    "/accounts/login/?next=/o/acme/settings/%3Fq={}",
    "/accounts/signup/?next=/{}/",
    "/accounts/reauthenticate/?next=/?q={}",
    "/docs/search/?q={}",
    "/admin/?q={}",
    "/admin/apikeys/apikey/{}/change/",
    "/admin/apikeys/apikey/add/?name={}",
    "/admin/organizations/organization/add/?name={}",
    "/admin/organizations/auditevent/?event__exact={}",
    "/admin/organizations/user/?o={}",
    "/{}",
    "//example.org/{}",
)
#: Spellings of a secret in a URL.
SPELLINGS: Final = (SECRET, f"Bearer%20{SECRET}.", HIDDEN, quote(HIDDEN))


def _repeated(response: Any) -> str:
    """Everything in a response that could repeat the URL, decoded."""
    said = response.content.decode() + str(response.headers) + str(response.cookies)
    return unquote(unquote(unquote(said)))


def _visit(client: Client, url: str) -> Any:
    """Follows redirects within the site, none of which may hold the secret."""
    for _ in range(5):
        response = client.get(url)
        assert REST not in _repeated(response), url
        if response.status_code not in (301, 302):
            return response
        url = response.headers["Location"]
        assert url.startswith("/"), url
        assert not url.startswith("//"), url
    pytest.fail("Too many redirects")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("page", PAGES)
def test_a_visitor_who_is_not_signed_in_takes_no_secret_along(
    client: Client, acme: Organization, page: str, spelling: str
) -> None:
    _visit(client, page.format(spelling))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_repeats_it(browser: Client, page: str) -> None:
    for spelling in SPELLINGS:
        _visit(browser, page.format(spelling))
    assert REST not in str(dict(browser.session))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_of_the_administration_repeats_it(acme: Organization, page: str) -> None:
    staff = sign_in(UserFactory.create(is_staff=True, is_superuser=True))

    for spelling in SPELLINGS:
        _visit(staff, page.format(spelling))


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_the_administration_does_not_repeat_an_id_in_its_own_encoding(
    acme: Organization, page: str
) -> None:
    staff = sign_in(UserFactory.create(is_staff=True, is_superuser=True))

    _visit(staff, f"/admin/apikeys/apikey/{SECRET.replace('_', '_5F')}/{page}/")
    _visit(staff, f"/admin/organizations/organization/{SECRET.replace('_', '_5F')}/{page}/")


def test_signing_in_leads_to_the_page_without_the_secret(
    client: Client, acme: Organization, admin: Any, make_key: Callable[..., Issued]
) -> None:
    issued = make_key(name="Production")
    asked = client.get(developer(acme), {"q": issued.secret}, follow=True)

    answer = client.post(asked.redirect_chain[-1][0], {"login": admin.email, "password": PASSWORD})

    prefix = issued.key.key_prefix
    assert answer.headers["Location"] == f"{developer(acme)}?q={prefix}"
    assert "Production" in html(client.get(answer.headers["Location"]))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_signing_in_does_not_lead_to_a_url_with_it(
    client: Client, acme: Organization, admin: Any, spelling: str
) -> None:
    sent = {"login": admin.email, "password": PASSWORD, "next": f"/?q={spelling}"}

    answer = client.post("/accounts/login/", sent)

    assert answer.status_code == 302
    assert REST not in _repeated(answer)


def test_a_form_continues_with_the_url_that_was_cut(browser: Client, acme: Organization) -> None:
    answer = browser.post(f"{developer(acme, 'keys/create/')}?name={HIDDEN}", {"name": ""})

    assert answer.status_code == 422
    assert REST not in _repeated(answer)


def test_other_parameters_stay_as_they_are(browser: Client, acme: Organization) -> None:
    asked = f"{developer(acme)}?status=active&q={SECRET}&x=100%25&x=a%2Bb&empty="

    answer = browser.get(asked)

    wanted = f"{developer(acme)}?status=active&q={PREFIX}&x=100%25&x=a%2Bb&empty="
    assert answer.headers["Location"] == wanted


def test_it_is_cut_before_a_search_is_refused(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cooldowns, "seconds_left", lambda *_: 5)

    answer = browser.get(developer(acme, "activity/"), {"q": SECRET})
    refused = browser.get(answer.headers["Location"])

    assert answer.status_code == 302
    assert refused.status_code == 429
    assert REST not in _repeated(answer) + _repeated(refused)

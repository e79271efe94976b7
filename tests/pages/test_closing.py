"""The page that closes an organization, and the site for its people afterwards."""

import pytest
from django.test import Client

from organizations import services
from organizations.models import Organization, User
from organizations.services.invitation_links import token_of
from tests.factories import SYSTEM, InvitationFactory
from tests.pages.support import html, sign_in
from tests.support.domain import nothing_written

CLOSE = "/o/acme/settings/close/"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Type the organization&#x27;s name."),
        ("acme", "That doesn&#x27;t match the organization&#x27;s name."),
    ],
)
def test_the_name_is_typed_first(
    browser: Client, acme: Organization, typed: str, said: str
) -> None:
    with nothing_written():
        answer = browser.post(CLOSE, {"typed": typed})

    assert answer.status_code == 422
    assert said in html(answer)


def test_it_says_what_happens_and_offers_an_export(
    browser: Client, acme: Organization, member: User
) -> None:
    page = html(browser.get(CLOSE))

    assert "All 2 members lose access, including you." in page
    assert 'href="/o/acme/settings/#export"' in page
    assert 'data-expected="Acme"' in page, "a script keeps the button pale until it is typed"
    assert 'id="export"' in html(browser.get("/o/acme/settings/"))


def test_afterwards_its_people_are_without_it(
    browser: Client, acme: Organization, member: User
) -> None:
    other = sign_in(member)

    done = browser.post(CLOSE, {"typed": " Acme "}, follow=True)

    assert "Acme is closed. Contact support to reopen it." in html(done)
    assert "You're not in an organization yet" in html(done).replace("&#x27;", "'")
    for client in (browser, other):
        for address in ("/o/acme/settings/", "/o/acme/settings/developer/", CLOSE):
            assert client.get(address).status_code == 404


def test_an_invitation_to_it_says_that_it_is_closed(acme: Organization) -> None:
    token = token_of(InvitationFactory.create(organization=acme))
    services.close_organization(acme, actor=SYSTEM)

    page = html(Client().get(f"/invitations/{token}/"))

    assert "This organization has been closed." in page
    assert "Create an account" not in page


def test_members_find_neither_the_button_nor_the_page(acme: Organization, member: User) -> None:
    client = sign_in(member)

    assert CLOSE not in html(client.get("/o/acme/settings/"))
    assert client.get(CLOSE).status_code == 403


def test_the_second_to_close_it_reads_that_it_is_closed(
    browser: Client, acme: Organization, admin: User
) -> None:
    second = sign_in(admin)
    browser.post(CLOSE, {"typed": "Acme"})

    with nothing_written():
        answers = [second.post(CLOSE, {"typed": "Acme"}), second.get("/o/acme/settings/")]

    for answer in answers:
        assert answer.status_code == 404
        assert "Acme is closed" in html(answer)
        assert "Contact support to reopen it." in html(answer)


def test_outsiders_do_not_learn_that_it_is_closed(acme: Organization, outsider: User) -> None:
    client = sign_in(outsider)
    services.close_organization(acme, actor=SYSTEM)

    for answer in (client.post(CLOSE, {"typed": "Acme"}), client.get("/o/acme/settings/")):
        assert answer.status_code == 404
        assert "closed" not in html(answer)
        assert "Acme" not in html(answer)

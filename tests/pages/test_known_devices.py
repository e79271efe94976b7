"""Wrong passwords from elsewhere block only new browsers of an owner, and only for minutes."""

import re
from typing import Final

import pytest
from allauth.account.models import EmailAddress
from django.core import mail, signing
from django.test import Client
from pytest_django import Settings

from organizations.models import Organization, User
from tests.factories import PASSWORD, UserFactory
from tests.pages.support import grow_stale, sign_in

TOO_MANY: Final = "Too many attempts. Try again in a few minutes."
NEW: Final = "quite another horse"
OTHER: Final = "quite another guess"


def _browser(address: str = "203.0.113.5") -> Client:
    return Client(REMOTE_ADDR=address)


def _lock(user: User) -> None:
    """Five wrong passwords, each from another place."""
    for n in range(6):
        fields = {"login": user.email, "password": f"wrong {n}"}
        _browser(f"198.51.100.{n}").post("/accounts/login/", fields)


def _try(client: Client, user: User, password: str = PASSWORD) -> bool:
    """Whether the password signs in."""
    client.post("/accounts/login/", {"login": user.email, "password": password})
    return "_auth_user_id" in client.session


def _left(user: User) -> Client:
    """A browser in which the person has signed in and out."""
    client = sign_in(user, _browser())
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session
    return client


def test_a_browser_that_has_signed_in_before_gets_in(acme: Organization, admin: User) -> None:
    known = _left(admin)
    _lock(admin)

    assert not _try(_browser("203.0.113.6"), admin)
    assert _try(known, admin)


@pytest.mark.parametrize("spelling", ["ADA@Acme.example", " ada@acme.example "])
def test_it_is_known_by_another_spelling(acme: Organization, admin: User, spelling: str) -> None:
    known = _left(admin)
    _lock(admin)

    known.post("/accounts/login/", {"login": spelling, "password": PASSWORD})

    assert "_auth_user_id" in known.session


def test_it_is_known_by_a_second_address(acme: Organization, admin: User) -> None:
    EmailAddress.objects.create(user=admin, email="second@acme.example", verified=True)
    known = _left(admin)
    for n in range(6):
        fields = {"login": "second@acme.example", "password": f"wrong {n}"}
        _browser(f"198.51.100.{n}").post("/accounts/login/", fields)

    known.post("/accounts/login/", {"login": "second@acme.example", "password": PASSWORD})

    assert "_auth_user_id" in known.session


def test_it_is_no_help_with_anybody_else(acme: Organization, admin: User, member: User) -> None:
    known = _left(member)
    _lock(admin)

    assert not _try(known, admin)


def test_everybody_who_shares_it_is_known(acme: Organization, admin: User, member: User) -> None:
    shared = _left(admin)
    sign_in(member, shared)
    shared.post("/accounts/logout/")
    _lock(admin)
    _lock(member)

    assert _try(shared, admin)
    shared.post("/accounts/logout/")
    assert _try(shared, member)


def test_five_people_are_remembered(acme: Organization) -> None:
    people = [UserFactory.create() for _ in range(6)]
    shared = _browser()
    for n, person in enumerate(people):
        shared.defaults["REMOTE_ADDR"] = f"203.0.113.{n}"
        sign_in(person, shared)
        shared.post("/accounts/logout/")
    _lock(people[0])
    _lock(people[5])

    assert not _try(shared, people[0])
    assert _try(shared, people[5])


def test_its_own_wrong_passwords_are_counted(acme: Organization, admin: User) -> None:
    known = _left(admin)

    tried = [_try(known, admin, f"wrong {n}") for n in range(5)]
    answer = known.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})

    assert not any(tried)
    assert answer.context["form"].non_field_errors() == [TOO_MANY]
    assert _try(_browser("203.0.113.6"), admin)


@pytest.mark.parametrize("forged", ["", "x", "e30:x:y", "{}"])
def test_a_forged_cookie_is_none(acme: Organization, admin: User, forged: str) -> None:
    stranger = _browser()
    stranger.cookies["device"] = forged
    _lock(admin)

    assert not _try(stranger, admin)


def test_a_cookie_of_another_use_is_none(acme: Organization, admin: User) -> None:
    stranger = _browser()
    stranger.cookies["device"] = signing.dumps({str(admin.pk): "1"}, salt="another")
    _lock(admin)

    assert not _try(stranger, admin)


def test_the_cookie_opens_nothing(acme: Organization, admin: User) -> None:
    known = _left(admin)

    assert known.cookies["device"]["httponly"]
    assert known.get("/o/acme/settings/").status_code == 302
    assert not _try(known, admin, "wrong")


def _reset(owner: Client, user: User) -> None:
    """Chooses a password by a mailed link."""
    owner.post("/accounts/password/reset/", {"email": user.email})
    body = str(mail.outbox[-1].body)
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", body)
    assert link
    form = owner.get(link[1], follow=True).redirect_chain[-1][0]
    owner.post(form, {"password1": NEW, "password2": NEW})


@pytest.mark.parametrize("is_known", [False, True])
def test_a_mailed_link_ends_what_others_have_tried(
    acme: Organization, admin: User, is_known: bool
) -> None:
    owner = _left(admin) if is_known else _browser()
    _lock(admin)

    _reset(owner, admin)

    assert _try(_browser("203.0.113.7"), admin, NEW)


def test_a_mailed_link_gets_in_while_wrong_passwords_go_on(acme: Organization, admin: User) -> None:
    _lock(admin)
    owner = _browser("203.0.113.6")
    _reset(owner, admin)
    _lock(admin)

    assert not _try(_browser("203.0.113.7"), admin, NEW)
    assert _try(owner, admin, NEW)


def test_a_confirmation_in_a_known_browser_is_not_stopped_either(
    acme: Organization, admin: User
) -> None:
    known = sign_in(admin, _browser())
    grow_stale(known)
    _lock(admin)

    answer = known.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert answer.status_code == 302


def _change_password(browser: Client) -> None:
    fields = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert browser.post("/accounts/password/change/", fields).status_code == 302


@pytest.mark.parametrize("number", [1, 3])
def test_browsers_of_an_earlier_password_are_not_known(
    acme: Organization, admin: User, number: int
) -> None:
    thieves = [_left(admin) for _ in range(number)]
    owner = sign_in(admin, _browser("203.0.113.6"))
    _change_password(owner)
    _lock(admin)

    answers = [
        thief.post("/accounts/login/", {"login": admin.email, "password": OTHER})
        for thief in thieves
    ]

    assert [answer.context["form"].non_field_errors() for answer in answers] == [
        [TOO_MANY]
    ] * number


def test_the_browser_of_the_change_stays_known(acme: Organization, admin: User) -> None:
    owner = sign_in(admin, _browser())
    _change_password(owner)
    owner.post("/accounts/logout/")
    _lock(admin)

    assert not _try(_browser("203.0.113.6"), admin, NEW)
    assert _try(owner, admin, NEW)


def test_a_browser_is_known_through_a_new_secret_key(
    acme: Organization, admin: User, settings: Settings
) -> None:
    known = _left(admin)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = OTHER * 4
    _lock(admin)

    assert _try(known, admin)


def test_a_cookie_from_before_passwords_were_in_it_is_none(acme: Organization, admin: User) -> None:
    stranger = _browser()
    salt = "organizations.known_devices"
    stranger.cookies["device"] = signing.dumps({str(admin.pk): "a number"}, salt=salt)
    _lock(admin)

    assert not _try(stranger, admin)

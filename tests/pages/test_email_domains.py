"""Email domains have one canonical form. Letters with accents before the @ are rejected."""

import re
from io import StringIO
from typing import Any, Final

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.text import canonical_email
from organizations.models import Invitation, Membership, Organization, User
from tests.admin.support import enter
from tests.factories import PASSWORD, UserFactory
from tests.pages.support import html, sign_in

#: The same mailbox, as people and browsers write it.
SPELLINGS: Final = [
    "max@bücher.example",
    "Max@BÜCHER.example",
    "max@xn--bcher-kva.example",
    "max@bu\u0308cher.example",
    "max@ｂücher．example",
]
KEPT: Final = "max@xn--bcher-kva.example"
#: A long s, letters with accents, another alphabet.
REFUSED: Final = [
    "ka\u017fper@acme.example",
    "jürgen@acme.example",
    "мах@acme.example",
]
SENTENCE: Final = "Use only unaccented letters (a-z), digits and symbols before the @."


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_there_is_one_form(spelling: str) -> None:
    assert canonical_email(spelling) == KEPT


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("max@ＡＣＭＥ.example", "max@acme.example"),
        ("max@acme。example", "max@acme.example"),
        ("max@faß.example", "max@xn--fa-hia.example"),
        ("max@acme.example", "max@acme.example"),
        ("max@" + "ü" * 300, "max@" + "ü" * 300),
        ("max@ü..example", "max@ü..example"),
        ("no address", "no address"),
    ],
)
def test_what_is_no_domain_stays_as_it_is(email: str, kept: str) -> None:
    assert canonical_email(email) == kept


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_invitation_is_accepted_by_whoever_signs_up_with_another_spelling(
    acme: Organization,
    admin: User,
    spelling: str,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sign_in(admin).post(
            "/o/acme/settings/members/invite/", {"email": spelling, "role": "member"}
        )
    (invited,) = mail.outbox
    accept = next(line for line in str(invited.body).splitlines() if "/invitations/" in line)
    browser = Client()
    browser.get(accept)
    joined = browser.post(
        "/accounts/signup/", {"email": spelling, "password1": PASSWORD, "name": "Max"}
    )

    assert invited.to == [KEPT]
    assert joined.status_code == 302
    assert Membership.objects.get(user__email=KEPT).organization == acme


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_signs_in_and_resets(acme: Organization, admin: User, spelling: str) -> None:
    person: User = UserFactory.create(email=SPELLINGS[0])

    browser = Client()
    browser.post("/accounts/login/", {"login": spelling, "password": PASSWORD})
    Client().post("/accounts/password/reset/", {"email": spelling})

    assert browser.session["_auth_user_id"] == str(person.pk)
    assert mail.outbox[-1].to == [KEPT]
    assert "/password/reset/key/" in str(mail.outbox[-1].body)


def _sign_up(email: str) -> Any:
    fields = {"email": email, "password1": PASSWORD, "name": "N", "organization": "New"}
    return Client().post("/accounts/signup/", fields)


def _invite(email: str) -> Any:
    browser = sign_in(User.objects.get(email="ada@acme.example"))
    return browser.post("/o/acme/settings/members/invite/", {"email": email, "role": "member"})


def _add(email: str) -> Any:
    browser = sign_in(User.objects.get(email="ada@acme.example"))
    return browser.post("/accounts/email/", {"action_add": "", "email": email})


def _make(email: str) -> Any:
    staff = User.objects.get(email="sam@latchkey.example")
    form = {"email": email, "name": "New"}
    return enter(Client(), staff).post("/admin/organizations/user/add/", form)


@pytest.mark.parametrize("email", REFUSED)
@pytest.mark.parametrize("enter_it", [_sign_up, _invite, _add, _make])
def test_letters_with_accents_before_the_at_sign_are_refused_with_a_sentence(
    acme: Organization, staff: User, enter_it: Any, email: str
) -> None:
    people = User.objects.count()

    answer = enter_it(email)

    assert SENTENCE in html(answer)
    assert mail.outbox == []
    assert User.objects.count() == people
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("email", REFUSED)
def test_the_command_refuses_them_too(db: None, email: str) -> None:
    with pytest.raises(CommandError, match="Use only unaccented letters"):
        call_command("create_organization", "New", "--admin-email", email, stdout=StringIO())

    assert not User.objects.exists()


def test_addresses_from_before_are_rewritten_but_for_those_that_are_taken(
    committed: None,
) -> None:
    before = [
        ("organizations", "0005_clock"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    for app, name in before:  # the command, which takes SQLite's triggers away meanwhile
        call_command("migrate", app, name, verbosity=0)
    apps = MigrationExecutor(connection).loader.project_state(before).apps
    person = apps.get_model("organizations", "User")
    address = apps.get_model("account", "EmailAddress")
    for email in ("max@bücher.example", "eve@bücher.example", "eve@xn--bcher-kva.example"):
        made = person.objects.create(email=email, password="!")
        address.objects.create(user_id=made.pk, email=email, verified=True, primary=True)

    call_command("migrate", verbosity=0)

    for rows in (User.objects, EmailAddress.objects):
        assert sorted(rows.values_list("email", flat=True)) == [
            "eve@bücher.example",
            "eve@xn--bcher-kva.example",
            KEPT,
        ]


_PLAIN: Final = "Remove quotation marks, slashes, question marks and backticks before the @."
_NUMBER: Final = "Use a domain such as example.com after the @, not an IP address."
_LIKE: Final = "Enter an email address like name@example.com."
#: Parts that hold a link or name one mailbox in many ways; hosts that are numbers.
NOT_NEW: Final = [
    ('"https://evil.example/x"@q.example', _PLAIN),
    ('"max"@acme.example', _PLAIN),
    ('"\\max"@acme.example', _PLAIN),
    ('"max+b"@acme.example', _PLAIN),
    ("www.evil.example/login@q.example", _PLAIN),
    ("evil.example/login?a=b@q.example", _PLAIN),
    ("max?subject=x@acme.example", _PLAIN),
    ("max`x@acme.example", _PLAIN),
    ("max@[127.0.0.1]", _NUMBER),
    ("max@[IPv6:2001:db8::1]", _LIKE),
    ("max@10.0.0.17", _LIKE),
    ("mailto:max@acme.example", _LIKE),
    ("max\\x@acme.example", _LIKE),
    (".max@acme.example", _LIKE),
    ("max..x@acme.example", _LIKE),
]


@pytest.mark.parametrize(("email", "said"), NOT_NEW)
def test_every_face_refuses_a_new_address_of_another_shape(
    email: str,
    said: str,
    browser: Client,
    acme: Organization,
    admin: User,
    member: User,
    staff: User,
) -> None:
    office = enter(Client(), staff)
    person = {"email": email, "name": "Max", "is_active": "on"}
    new = {"email": email, "password1": PASSWORD, "organization": "New"}
    answers = [
        Client().post("/accounts/signup/", new),
        browser.post("/accounts/email/", {"action_add": "", "email": email}),
        browser.post("/o/acme/settings/members/invite/", {"email": email, "role": "member"}),
        office.post("/admin/organizations/user/add/", person),
        office.post(f"/admin/organizations/user/{member.pk}/change/", person),
    ]
    with pytest.raises(CommandError) as refusal:
        call_command("create_organization", "New", admin_email=email, stdout=StringIO())
    with pytest.raises(ValidationError, match=re.escape(said)):
        User.objects.create_superuser(email, PASSWORD)

    shown = [html(answer) for answer in answers]
    assert [said in page or "Enter a valid" in page for page in shown] == [True] * len(shown)
    assert said in str(refusal.value)
    assert not User.objects.filter(email=email).exists()
    assert not EmailAddress.objects.filter(email=email).exists()
    assert not Invitation.objects.filter(email=email).exists()
    assert not mail.outbox


@pytest.mark.parametrize(
    "email",
    ["max.o'neil+tag@acme.example", "a_b-c=d&e%f@acme.example", "max@1st.acme.example", "m@x.co"],
)
def test_plain_addresses_are_taken(email: str, browser: Client, acme: Organization) -> None:
    browser.post("/o/acme/settings/members/invite/", {"email": email, "role": "member"})

    assert Invitation.objects.get().email == email


def test_an_address_from_before_keeps_working(staff: User) -> None:
    kept = '"max"@acme.example'
    user = UserFactory.create()
    User.objects.filter(pk=user.pk).update(email=kept)
    EmailAddress.objects.filter(user=user).update(email=kept)
    form = {"email": kept, "name": "Maximilian", "is_active": "on"}

    answer = enter(Client(), staff).post(f"/admin/organizations/user/{user.pk}/change/", form)
    signed_in = Client().post("/accounts/login/", {"login": kept, "password": PASSWORD})

    assert answer.status_code == 302
    assert (signed_in.status_code, signed_in["Location"]) == (302, "/")

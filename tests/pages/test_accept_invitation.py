"""Signing up from an invitation: only its organization, its email address and its rules."""

import re
from functools import partial
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client, TestCase
from django.utils import timezone

from core import transactions
from organizations import services
from organizations.models import AuditEvent, Invitation, Membership, Organization, User
from organizations.roles import Role
from tests.factories import PASSWORD, InvitationFactory, UserFactory
from tests.pages.support import RECORDS, html, sign_in
from tests.support.domain import at_once, person

DANA = "dana@acme.example"
SIGN_UP = "/accounts/signup/"


def _invited(acme: Organization, admin: User, role: Role = Role.MEMBER) -> str:
    """The address of the link that Dana got by email."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        InvitationFactory.create(
            organization=acme,
            email=DANA,
            role=role,
            actor=person(admin),
            link=lambda token: f"http://testserver/invitations/{token}/",
        )
    found = re.search(r"http://testserver(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found
    mail.outbox.clear()
    return found[1]


def _opened(link: str) -> Client:
    """A browser in which the link was followed, and then “Create an account”."""
    client = Client()
    assert SIGN_UP in html(client.get(link))
    return client


def _join(client: Client, email: str = DANA, password: str = PASSWORD) -> Any:
    return client.post(SIGN_UP, {"email": email, "password1": password, "name": "Dana"})


@pytest.mark.parametrize(
    ("role", "title", "home"),
    [
        (Role.MEMBER, "Join Acme as a member", "/o/acme/settings/"),
        (Role.ADMIN, "Join Acme as an admin", "/o/acme/settings/developer/"),
    ],
)
def test_signing_up_joins_with_the_invited_address(
    acme: Organization, admin: User, role: Role, title: str, home: str
) -> None:
    client = _opened(_invited(acme, admin, role))

    page = html(client.get(SIGN_UP))
    joined = _join(client)
    led = client.get("/")

    assert f">{title}</h1>" in page
    (field,) = re.findall(r'<input type="email"[^>]*>', page)
    assert f'value="{DANA}"' in field
    assert "readonly" in field
    assert "organization" not in re.findall(r'<input [^>]*name="(\w+)"', page)
    assert (joined.status_code, joined["Location"], led["Location"]) == (302, "/", home)
    dana = User.objects.get(email=DANA)
    assert Membership.objects.get(user=dana).role == role
    assert Organization.objects.count() == 1
    accepted = AuditEvent.objects.get(event="invitation.accepted")
    assert accepted.actor_label == "Dana"


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (Role.MEMBER, "You joined Acme as a member."),
        (Role.ADMIN, "You joined Acme as an admin."),
    ],
)
@pytest.mark.parametrize("way", ["sign up", "accept"])
def test_who_has_joined_reads_it_once(
    acme: Organization, admin: User, role: Role, said: str, way: str
) -> None:
    link = _invited(acme, admin, role)
    if way == "sign up":
        client = _opened(link)
        _join(client)
        page = client.get("/", follow=True)
    else:
        client = sign_in(UserFactory.create(email=DANA))
        page = client.post(link, follow=True)

    assert said in html(page)
    assert said not in html(client.get("/", follow=True))


def test_the_link_of_the_invitation_proves_the_mailbox(acme: Organization, admin: User) -> None:
    client = _opened(_invited(acme, admin))

    _join(client)

    assert EmailAddress.objects.get(email=DANA).verified
    assert mail.outbox == []
    assert "_auth_user_id" in client.session
    assert [record["method"] for record in client.session[RECORDS]] == ["password"]


@pytest.mark.parametrize("email", ["eve@evil.example", "dana@acme.example.evil.example", ""])
def test_another_address_is_refused_and_the_invited_one_stays(
    acme: Organization, admin: User, email: str
) -> None:
    client = _opened(_invited(acme, admin))

    answer = _join(client, email)

    form = answer.context["form"]
    assert list(form.errors) == ["email"]
    assert f"This invitation is for {DANA}." in form.errors["email"][0]
    assert f'value="{DANA}"' in html(answer)
    assert not User.objects.filter(email__in=[DANA, email]).exists()
    assert Invitation.objects.open().count() == 1
    assert _join(client).status_code == 302, "and can be corrected"


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("revoke", "This invitation was revoked. Ask an admin for a new one."),
        ("expire", "This invitation has expired. Ask an admin to send it again."),
        ("accept", "This invitation has been accepted already."),
    ],
)
def test_an_invitation_that_is_over_is_said_and_makes_nobody(
    acme: Organization, admin: User, end: str, told: str
) -> None:
    link = _invited(acme, admin)
    client = _opened(link)
    _end(Invitation.objects.get(), end, admin)
    people = User.objects.count()

    sent = _join(client)
    shown = html(client.get(sent["Location"]))
    later = html(client.get(SIGN_UP))

    assert (sent.status_code, sent["Location"]) == (302, link)
    assert told in shown
    assert "Create an account" not in shown
    assert User.objects.count() == people
    assert "Sign up for Latchkey" in later, "the way that is open to all"


def _end(invitation: Invitation, end: str, admin: User) -> None:
    if end == "revoke":
        services.revoke_invitation(invitation, actor=person(admin))
        return
    field = "expires_at" if end == "expire" else "accepted_at"
    with transactions.allowed():
        Invitation.objects.filter(pk=invitation.pk).update(**{field: timezone.now()})


def test_a_link_that_was_replaced_opens_nothing(acme: Organization, admin: User) -> None:
    link = _invited(acme, admin)
    client = _opened(link)
    services.resend_invitation(
        Invitation.objects.get(), link=lambda token: token, actor=person(admin)
    )

    sent = _join(client)

    assert (sent.status_code, sent["Location"]) == (302, link)
    assert client.get(link).status_code == 404
    assert not User.objects.filter(email=DANA).exists()


def test_whoever_has_an_account_is_led_to_sign_in(acme: Organization, admin: User) -> None:
    UserFactory.create(email=DANA)
    client = _opened(_invited(acme, admin))

    answer = _join(client)

    assert "already has an account. Sign in to join" in answer.context["form"].errors["email"][0]
    assert mail.outbox == []
    assert not Membership.objects.filter(user__email=DANA).exists()


def test_the_name_of_the_organization_is_no_password(acme: Organization, admin: User) -> None:
    with transactions.allowed():
        Organization.objects.update(name="Zephyrine Works")
    client = _opened(_invited(acme, admin))

    answer = _join(client, password="zephyrine-works1")

    assert list(answer.context["form"].errors) == ["password1"]


def test_joining_twice_at_once_makes_one_member(
    committed: None, acme: Organization, admin: User
) -> None:
    link = _invited(acme, admin)
    clients = [_opened(link), _opened(link)]

    answers: list[Any] = at_once([partial(_join, client) for client in clients])

    assert {answer.status_code for answer in answers} <= {200, 302}
    assert User.objects.filter(email=DANA).count() == 1
    assert Membership.objects.filter(user__email=DANA).count() == 1
    assert AuditEvent.objects.filter(event="invitation.accepted").count() == 1


def test_signing_in_names_the_account_and_not_an_organization(
    acme: Organization, admin: User
) -> None:
    client = _opened(_invited(acme, admin))

    page = html(client.get("/accounts/login/"))

    assert "Create an account" in page
    assert "Sign up" not in page


def test_the_wrong_account_can_sign_out_to_use_another(
    acme: Organization, admin: User, outsider: User
) -> None:
    link = _invited(acme, admin)
    client = sign_in(outsider)
    page = html(client.get(link))

    (form,) = re.findall(r'(?s)<main.*?<form method="post" ([^>]*)>', page)
    answer = client.post(re.findall(r'action="([^"]*)"', form)[0], {"next": link})

    assert (answer.status_code, answer["Location"]) == (302, link)
    assert SIGN_UP in html(client.get(link))

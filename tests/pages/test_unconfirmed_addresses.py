"""An unconfirmed email address has no effect on other accounts."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.core import mail
from django.test import Client, TestCase

from organizations import services
from organizations.models import AuditEvent, Membership, Organization, User
from organizations.roles import Role
from tests.factories import PASSWORD, SYSTEM, InvitationFactory, MembershipFactory, UserFactory
from tests.pages.support import html, sign_in
from tests.support.domain import at_once, person

VERA: Final = "vera@victim.example"
_REMOVED: Final = "An email address was removed from your Latchkey account"
OWN: Final = "quite another horse"
SIGN_UP: Final = "/accounts/signup/"
NEWCOMER: Final = {
    "email": VERA,
    "password1": OWN,
    "name": "Vera Victor",
    "organization": "Victor Works",
}
STRANGER: Final = {
    "email": VERA,
    "password1": PASSWORD,
    "name": "Sly Stranger",
    "organization": "Strange Ventures",
}


def _links(kind: str = "confirm-email", to: str = VERA) -> list[str]:
    """The paths of the links in all mails to an address, oldest first."""
    bodies = [str(sent.body) for sent in mail.outbox if sent.to == [to]]
    pattern = rf"http://testserver(/(?:accounts/)?{kind}/\S+)"
    return [found for body in bodies for found in re.findall(pattern, body)]


def _add(user: User, email: str = VERA) -> Client:
    """The browser of an account that has added an address."""
    client = sign_in(user)
    client.post("/accounts/email/", {"action_add": "", "email": email})
    assert EmailAddress.objects.filter(user=user, email=email, verified=False).exists()
    return client


def _sign_up(form: dict[str, str], address: str = "203.0.113.66") -> Client:
    client = Client(REMOTE_ADDR=address)
    answer = client.post(SIGN_UP, form)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/confirm-email/")
    return client


def _signs_in(password: str, login: str = VERA) -> User | None:
    client = Client(REMOTE_ADDR="203.0.113.99")
    client.post("/accounts/login/", {"login": login, "password": password})
    return next(
        (u for u in User.objects.all() if str(u.pk) == client.session.get("_auth_user_id")), None
    )


def _reset(client: Client, password: str) -> None:
    client.post("/accounts/password/reset/", {"email": VERA})
    form = client.get(_links("password/reset/key")[-1], follow=True).redirect_chain[-1][0]
    assert client.post(form, {"password1": password, "password2": password}).status_code == 302


def _subjects(to: str) -> list[str]:
    return [str(sent.subject) for sent in mail.outbox if sent.to == [to]]


def test_an_added_address_signs_in_to_no_account(acme: Organization, admin: User) -> None:
    _add(admin)

    assert _signs_in(PASSWORD) is None
    assert _signs_in(PASSWORD, admin.email) == admin


def test_a_reset_by_an_added_address_leads_to_no_account(acme: Organization, admin: User) -> None:
    _add(admin)

    Client().post("/accounts/password/reset/", {"email": VERA})

    assert _links("password/reset/key") == []
    assert _subjects(VERA)[-1] == "No Latchkey account for this email address"


def test_an_address_that_others_have_added_can_be_signed_up_with(
    acme: Organization, admin: User
) -> None:
    _add(admin)
    client = _sign_up(NEWCOMER)
    mail.outbox.clear()

    _reset(client, OWN)

    vera = _signs_in(OWN)
    assert vera is not None
    assert (vera.email, vera.name) == (VERA, "Vera Victor")
    assert Membership.objects.get(user=vera).organization.name == "Victor Works"
    assert list(EmailAddress.objects.filter(user=admin).values_list("email", flat=True)) == [
        admin.email
    ]


def test_the_sign_up_is_confirmed_by_its_own_link(acme: Organization, admin: User) -> None:
    client = _sign_up(NEWCOMER)
    _add(admin)

    client.post(_links()[0])

    vera = _signs_in(OWN)
    assert vera is not None
    assert vera != admin
    assert not EmailAddress.objects.filter(user=admin, email=VERA).exists()


def _invite(acme: Organization, admin: User) -> str:
    """The path of an invitation's link."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        InvitationFactory.create(
            organization=acme,
            email=VERA,
            role=Role.ADMIN,
            actor=person(admin),
            link=lambda token: f"http://testserver/invitations/{token}/",
        )
    return _links("invitations")[0]


def _join(link: str) -> User:
    """The person who signs up from an invitation."""
    client = Client()
    client.get(link)
    answer = client.post(SIGN_UP, {"email": VERA, "password1": OWN, "name": "Vera"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    return User.objects.get(pk=client.session["_auth_user_id"])


def test_an_invitation_is_accepted_by_signing_up(
    acme: Organization, admin: User, outsider: User
) -> None:
    _add(outsider)

    vera = _join(_invite(acme, admin))

    assert Membership.objects.get(organization=acme, user=vera).role == Role.ADMIN
    assert EmailAddress.objects.get(email=VERA).user == vera
    assert not Membership.objects.filter(organization=acme, user=outsider).exists()


def test_an_invitation_is_accepted_in_the_place_of_an_unconfirmed_sign_up(
    acme: Organization, admin: User
) -> None:
    stranger = _sign_up(STRANGER)
    mailed = _links()[0]

    vera = _join(_invite(acme, admin))

    assert (vera.email, vera.name) == (VERA, "Vera")
    assert stranger.post(mailed, {"password": PASSWORD}).status_code == 404
    assert _signs_in(PASSWORD) is None
    assert _signs_in(OWN) == vera
    assert not Organization.objects.filter(name="Strange Ventures").exists()


def test_the_account_that_proves_the_mailbox_first_gets_it(
    acme: Organization, admin: User, outsider: User
) -> None:
    first, second = _add(admin), sign_in(outsider)
    second.post("/accounts/email/", {"action_add": "", "email": VERA})
    theirs = EmailAddress.objects.get(user=outsider, email=VERA)
    link = _link_of(theirs)
    mail.outbox.clear()

    with TestCase.captureOnCommitCallbacks(execute=True):
        assert second.post(link).status_code == 302

    assert EmailAddress.objects.get(email=VERA).user == outsider
    told = [sent for sent in mail.outbox if sent.to == [admin.email]]
    assert [sent.subject for sent in told] == [_REMOVED]
    assert VERA in told[0].body
    event = AuditEvent.objects.get(event="person.email_disowned")
    assert (event.actor_kind, event.target_id) == ("system", admin.pk)
    assert first.get("/o/acme/settings/").status_code == 200
    assert second.post("/accounts/email/", {"action_primary": "", "email": VERA}).status_code == 302
    outsider.refresh_from_db()
    assert outsider.email == VERA


def _link_of(address: EmailAddress) -> str:
    """What a mail to an address leads to: two mails to the same one don't follow each other."""
    return f"/accounts/confirm-email/{EmailConfirmationHMAC(address).key}/"


def test_a_disowned_address_is_told_in_the_same_words(acme: Organization, admin: User) -> None:
    _add(admin)

    with TestCase.captureOnCommitCallbacks(execute=True):
        Client().post(_links()[0], {"do": "disown"})

    assert _subjects(admin.email)[-1] == _REMOVED


def test_two_confirm_the_same_address_at_once(
    committed: None, acme: Organization, admin: User, outsider: User
) -> None:
    clients = [_add(admin), _add(outsider)]
    links = [_link_of(row) for row in EmailAddress.objects.filter(email=VERA).order_by("pk")]
    posts: list[Callable[[], Any]] = [
        partial(client.post, link) for client, link in zip(clients, links, strict=True)
    ]

    answers: list[Any] = at_once(posts)

    assert {answer.status_code for answer in answers} <= {302, 404, 409}
    assert EmailAddress.objects.get(email=VERA).verified


def test_a_sign_up_takes_the_place_of_one_that_was_not_confirmed(db: None) -> None:
    stranger, vera = _sign_up(STRANGER), _sign_up(NEWCOMER, "203.0.113.7")

    (link,) = _links()  # a second mail within three minutes is not sent
    stranger_tries = stranger.post(link)
    vera.post(link)

    assert stranger_tries.status_code == 422
    owner = _signs_in(OWN)
    assert owner == User.objects.get()
    assert owner is not None
    assert owner.name == "Vera Victor"
    assert [one.name for one in Organization.objects.all()] == ["Victor Works"]
    assert _signs_in(PASSWORD) is None
    removed = AuditEvent.objects.get(event="person.unconfirmed_removed")
    assert (removed.actor_kind, removed.actor_label) == ("system", "sign-up")


def test_a_stranger_gains_nothing_by_signing_up_later(db: None) -> None:
    vera, stranger = _sign_up(NEWCOMER, "203.0.113.7"), _sign_up(STRANGER)
    (link,) = _links()

    asked = vera.post(link)

    assert asked.status_code == 422, "the browser of the first sign-up vouches for no other"
    assert not EmailAddress.objects.get().verified
    _sign_up(NEWCOMER, "203.0.113.7")
    assert stranger.post(link).status_code == 422
    assert Client().post(link, {"password": OWN}).status_code == 302
    owner = _signs_in(OWN)
    assert owner is not None
    assert owner.name == "Vera Victor"


def test_an_account_that_others_rely_on_is_not_replaced(acme: Organization, admin: User) -> None:
    _sign_up(STRANGER)
    MembershipFactory.create(organization=acme, user=User.objects.get(email=VERA))

    _sign_up(NEWCOMER, "203.0.113.7")

    assert User.objects.get(email=VERA).name == "Sly Stranger"


def test_an_organization_that_staff_have_made_is_kept(db: None) -> None:
    _sign_up(STRANGER)
    made = services.create_organization(
        name="By Staff",
        admin=User.objects.get(email=VERA),
        actor=SYSTEM,
    )

    _sign_up(NEWCOMER, "203.0.113.7")

    assert Membership.objects.get(organization=made).user.name == "Sly Stranger"


def test_confirming_an_added_address_ends_a_sign_up_with_it(
    acme: Organization, admin: User
) -> None:
    _sign_up(STRANGER)
    client = _add(admin)

    client.post(_link_of(EmailAddress.objects.get(user=admin, email=VERA)))
    client.post("/accounts/email/", {"action_primary": "", "email": VERA})

    admin.refresh_from_db()
    assert admin.email == VERA
    assert not User.objects.filter(name="Sly Stranger").exists()
    assert not Organization.objects.filter(name="Strange Ventures").exists()


def test_the_page_says_that_another_account_has_the_address(
    acme: Organization, admin: User
) -> None:
    client = _add(admin)
    link = _links()[0]
    UserFactory.create(email=VERA)

    asked, refused = client.get(link), client.post(link)

    assert "already belongs to another account" in html(asked)
    assert refused.status_code == 409
    assert not EmailAddress.objects.get(user=admin, email=VERA).verified


@pytest.mark.parametrize("taken", [True, False])
def test_a_link_of_ones_own_is_opened_after_any_sign_up(
    acme: Organization, admin: User, taken: bool
) -> None:
    _add(admin)
    link = _links()[0]
    prober = _sign_up({**NEWCOMER, "email": admin.email if taken else "new@new.example"})

    page = prober.get(link)

    assert page.status_code == 200
    assert 'name="password"' in html(page)

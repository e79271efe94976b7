"""Changes to how users sign in, and their exports, are in the audit log."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client
from django.urls import reverse

from organizations.models import AuditEvent, Organization, User
from tests.factories import PASSWORD
from tests.pages.support import developer, sign_in, told
from tests.support.domain import unwritable_trail
from tests.support.second_factors import code_of

NEW = "a quite different phrase"
IP = "203.0.113.9"


@pytest.fixture
def browser(admin: User, acme: Organization) -> Client:
    return sign_in(admin, Client(raise_request_exception=False, REMOTE_ADDR=IP))


def _change_password(browser: Client, admin: User) -> Any:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    return browser.post(reverse("account_change_password"), form)


def _make_codes(browser: Client, admin: User) -> Any:
    TOTP.activate(admin, generate_totp_secret())
    return browser.post(reverse("mfa_generate_recovery_codes"))


def _add_app(browser: Client, admin: User) -> Any:
    RecoveryCodes.activate(admin)  # without which the page makes some, too
    browser.get(reverse("mfa_activate_totp"))
    code = code_of(browser.session["mfa.totp.secret"])
    return browser.post(reverse("mfa_activate_totp"), {"code": code})


def _turn_off_app(browser: Client, admin: User) -> Any:
    TOTP.activate(admin, generate_totp_secret())
    return browser.post(reverse("mfa_deactivate_totp"))


def _choose_address(browser: Client, admin: User) -> Any:
    other = EmailAddress.objects.create(user=admin, email="new@acme.example", verified=True)
    form = {"action_primary": "", "email": other.email}
    return browser.post(reverse("account_email"), form)


def _add_address(browser: Client, admin: User) -> Any:
    form = {"action_add": "", "email": "new@acme.example"}
    return browser.post(reverse("account_email"), form)


def _confirm_address(browser: Client, admin: User) -> Any:
    other = EmailAddress.objects.create(user=admin, email="new@acme.example")
    key = EmailConfirmationHMAC(other).key
    return browser.post(reverse("account_confirm_email", args=[key]))


def _remove_address(browser: Client, admin: User) -> Any:
    other = EmailAddress.objects.create(user=admin, email="new@acme.example", verified=True)
    form = {"action_remove": "", "email": other.email}
    return browser.post(reverse("account_email"), form)


def _end_others(browser: Client, admin: User) -> Any:
    sign_in(admin)
    return browser.post(reverse("usersessions_list"))


CHANGES: dict[str, Callable[[Client, User], Any]] = {
    "person.password_changed": _change_password,
    "person.recovery_codes_renewed": _make_codes,
    "person.second_factor_added": _add_app,
    "person.second_factor_removed": _turn_off_app,
    "person.email_changed": _choose_address,
    "person.email_added": _add_address,
    "person.email_confirmed": _confirm_address,
    "person.email_removed": _remove_address,
    "person.sessions_ended": _end_others,
}


def _state(admin: User) -> list[Any]:
    rows = [User, EmailAddress, Authenticator, UserSession]
    return [list(model._default_manager.order_by("pk").values_list("pk")) for model in rows] + [
        User.objects.get(pk=admin.pk).password,
        User.objects.get(pk=admin.pk).email,
    ]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_ones_own_account_leaves_one_event(
    browser: Client, admin: User, name: str
) -> None:
    assert CHANGES[name](browser, admin).status_code == 302

    (event,) = AuditEvent.objects.filter(event__startswith="person.")
    assert event.event == name
    assert (event.actor_kind, event.actor_id, event.target_id) == ("person", admin.pk, admin.pk)
    assert event.target_type == "User"
    assert (event.ip, event.organization_id) == (IP, None)
    assert event.request_id.startswith("req_")
    assert PASSWORD not in str(event.details)


@pytest.mark.parametrize("name", CHANGES)
def test_without_its_event_nothing_changes_and_nobody_is_mailed(
    browser: Client, admin: User, name: str
) -> None:
    prepared: list[Any] = []

    with unwritable_trail():
        response = _prepared(browser, admin, name, prepared)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert _state(admin) == prepared[0]
    assert not mail.outbox


def _prepared(browser: Client, admin: User, name: str, prepared: list[Any]) -> Any:
    """Notes the state right before the request that makes the change."""
    post = browser.post

    def noting(*args: Any, **options: Any) -> Any:
        mail.outbox.clear()
        prepared.append(_state(admin))
        return post(*args, **options)

    browser.post = noting  # type: ignore[method-assign]
    return CHANGES[name](browser, admin)


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (_add_address, "Email address added to your Latchkey account"),
        (_confirm_address, "Email address confirmed for your Latchkey account"),
        (_remove_address, "Email address removed from your Latchkey account"),
        (_choose_address, "Your Latchkey email address was changed"),
    ],
)
def test_the_primary_address_is_mailed_about_the_others(
    browser: Client, admin: User, change: Callable[[Client, User], Any], subject: str
) -> None:
    primary = admin.email

    change(browser, admin)

    (told,) = [sent for sent in mail.outbox if sent.to == [primary]]
    assert told.subject == subject
    assert "new@acme.example" in told.body
    assert f"IP address: {IP}" in told.body


def test_confirming_ones_first_address_is_an_event_and_mails_nothing_more(db: None) -> None:
    visitor = Client(REMOTE_ADDR=IP)
    form = {"email": "nora@new.example", "password1": PASSWORD, "organization": "New"}
    visitor.post(reverse("account_signup"), form)
    (sent,) = mail.outbox
    link = next(word for word in sent.body.split() if "/confirm-email/" in word)

    visitor.post(link.partition("testserver")[2])

    event = AuditEvent.objects.get(event="person.email_confirmed")
    assert (event.actor_kind, event.actor_id) == ("person", User.objects.get().pk)
    assert len(mail.outbox) == 1


def test_a_link_that_disowns_an_address_removes_factors_as_one_event(db: None) -> None:
    visitor = Client(REMOTE_ADDR=IP)
    form = {"email": "nora@new.example", "password1": PASSWORD, "organization": "New"}
    visitor.post(reverse("account_signup"), form)
    link = next(word for word in mail.outbox[0].body.split() if "/confirm-email/" in word)
    TOTP.activate(User.objects.get(), generate_totp_secret())

    Client().post(link.partition("testserver")[2], {"do": "disown"})

    assert not Authenticator.objects.exists()
    events = AuditEvent.objects.filter(event__startswith="person.")
    assert [event.event for event in events] == ["person.email_disowned"]


def test_a_new_password_by_a_link(admin: User) -> None:
    visitor = Client(REMOTE_ADDR=IP)
    visitor.post(reverse("account_reset_password"), {"email": admin.email})
    link = next(word for word in mail.outbox[0].body.split() if "/reset/key/" in word)
    page = visitor.get(link.partition("testserver")[2], follow=True)
    visitor.post(page.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})

    event = AuditEvent.objects.get(event="person.password_changed")
    assert (event.actor_id, event.ip) == (admin.pk, IP)


@pytest.mark.parametrize("what", ["activity", "usage"])
def test_an_export_is_in_the_trail_of_its_organization(
    browser: Client, acme: Organization, admin: User, what: str
) -> None:
    response = browser.get(developer(acme, f"{what}/export/"))

    assert response.status_code == 200
    event = AuditEvent.objects.get(event="organization.exported")
    assert (event.organization_id, event.actor_id) == (acme.pk, admin.pk)
    assert event.details == {"exported": what}
    lines = told(browser.get(developer(acme, "activity/")))
    assert f"Ada Acme exported data of the organization – {what.capitalize()}" in lines


@pytest.mark.parametrize("what", ["activity", "usage"])
def test_without_its_event_nothing_is_exported(
    browser: Client, acme: Organization, what: str, bulkheads_of_four: None
) -> None:
    with unwritable_trail():
        responses = [browser.get(developer(acme, f"{what}/export/")) for _ in range(3)]

    assert [response.status_code for response in responses] == [503] * 3
    later = browser.get(developer(acme, f"{what}/export/"))
    assert later.status_code == 200, "no place is lost"
    later.close()  # so that it holds none in the next test

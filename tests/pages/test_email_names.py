"""User-chosen names in emails are quoted and cut, contain no links, and are rate limited."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client, TestCase
from django.utils import timezone

from core import transactions
from core.exceptions import Invalid
from organizations.email_names import clean_mailed_name, text_for_email
from organizations.models import Invitation, Organization, User
from organizations.services.invitations import DAILY_LIMIT
from tests.admin.support import change, enter, page
from tests.factories import PASSWORD, InvitationFactory, UserFactory
from tests.pages.support import html, sign_in
from tests.support.mails import html_of, sent

MEMBERS = "/o/acme/settings/members/"
REFUSED = "Remove the link or email address: this is for a name."
LINKS = [
    "Your invoice: pay at https://evil.example/pay",
    "HTTP://EVIL.EXAMPLE",
    "ftp://evil.example",
    "Pay at www.evil.example",
    "Pay at evil.example/invoice",
    "Pay at evil.example:8443",
    "Pay at evil.example?id=1",
    "mailto:pay",
    "Write to pay@evil.example",
    "Pay at https:\uff0f\uff0fevil.example",  # full width
    "Pay at evil\uff0eexample/invoice",
    "Pay at evil\u3002example/invoice",  # an ideographic full stop
    "Pay at evil\uff61example/invoice",
    "Pay at evil.xn--p1ai/invoice",
    "Pay at evil.example\u200d/invoice",  # a joiner that shows nothing
    "Pay at 192.0.2.1/login",
    "Pay at 1.2.3.4:8080/x",
    "Pay at 1\u30022\u30023\u30024/x",
    "Pay at [2001:db8::1]/x",
    "sms:+15551234567",
    "sms:15551234567",
    "facetime:pay",
    "unheard-of:+15551234567",
    "pay-app:send?to=me",
]
NAMES = [
    "Acme",
    "Booking.com",
    "Amazon.com, Inc.",
    "St. John's/St. Mary's",
    "Node.js Foundation",
    "AT&T 24/7: Support",
    "Version 2.0",
    "C/O Ada @ Acme",
    "Re:Amaze",
    "Big Data: Insights",
    "Tel: 555 1234",
    "Version 1.2.3: Beta",
    "3.14/2.71",
    "モーニング娘。",
    "Who? What: Ask+Answer",
    "Ünïcode Ørg ☃",
]


@pytest.mark.parametrize("name", LINKS)
def test_a_link_is_not_a_name(name: str) -> None:
    with pytest.raises(Invalid, match="Remove the link"):
        clean_mailed_name(name)


@pytest.mark.parametrize("name", NAMES)
def test_names_with_dots_and_slashes_are_names(name: str) -> None:
    assert clean_mailed_name(name) == name


def _shown(response: Any) -> str:
    text: str = html(response)
    return text.replace("&#x27;", "'")


@pytest.mark.parametrize("name", LINKS[:4])
def test_every_page_refuses_links_in_names(
    name: str, browser: Client, acme: Organization, admin: User, staff: User
) -> None:
    """Signing up, making and renaming an organization; what staff enter; the command."""
    new = {"email": "new@evil.example", "password1": PASSWORD}
    office = enter(Client(), staff)
    answers = [
        Client().post("/accounts/signup/", {**new, "organization": name}),
        Client().post("/accounts/signup/", {**new, "organization": "Acme Two", "name": name}),
        browser.post("/organizations/new/", {"name": name}),
        browser.post("/o/acme/settings/", {"name": name, "seen": acme.updated_at.isoformat()}),
        office.post(page(User, "add"), {"email": "new@acme.example", "name": name}),
        office.post(change(admin), {"email": admin.email, "name": name, "is_active": "on"}),
        office.post(page(Organization, "add"), {"name": name, "admin_email": admin.email}),
    ]
    with pytest.raises(CommandError, match="Remove the link"):
        call_command("create_organization", name, admin_email=admin.email)

    assert [REFUSED in _shown(answer) for answer in answers] == [True] * len(answers)
    assert Organization.objects.count() == 1
    assert not User.objects.filter(email__startswith="new@").exists()


def _kept_before(thing: Any, name: str) -> None:
    """As a version without the rule has left it."""
    with transactions.allowed():
        type(thing).objects.filter(pk=thing.pk).update(name=name)


def _invite(browser: Client, email: str) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return browser.post(f"{MEMBERS}invite/", {"email": email, "role": "member"}, follow=True)


def test_names_from_before_are_shown_without_their_links(
    browser: Client, acme: Organization, admin: User
) -> None:
    _kept_before(acme, "Your invoice: pay at https://evil.example/pay now")
    _kept_before(admin, "Write to pay@evil.example\r\nBcc: other@evil.example")
    _invite(browser, "dana@acme.example")

    (sent,) = mail.outbox
    body = str(sent.body).replace("dana@acme.example", "").replace("http://testserver/", "")
    for text in (str(sent.subject), body):
        assert "“Your invoice: pay at [link removed] now”" in text
        assert "“Write to [link removed] Bcc: [link removed]”" in text
        assert not re.search(r"://|evil", text)
    assert sent.recipients() == ["dana@acme.example"]


def test_a_person_or_an_organization_with_such_a_name_can_still_be_changed(
    browser: Client, acme: Organization, admin: User, staff: User
) -> None:
    _kept_before(acme, "https://acme.example")
    _kept_before(admin, "https://ada.example")
    UserFactory.create(email="other@acme.example")
    form = {"email": admin.email, "name": "https://ada.example", "is_active": "on"}
    answer = enter(Client(), staff).post(change(admin), {**form, "email": "a@acme.example"})

    admin.refresh_from_db()
    assert (answer.status_code, admin.email) == (302, "a@acme.example")


def test_a_long_name_is_cut_in_the_subject(browser: Client, acme: Organization) -> None:
    _kept_before(acme, "Very " * 19 + "long")
    _invite(browser, "dana@acme.example")

    subject = mail.outbox[0].subject
    assert "“Very Very" in subject
    assert "…”" in subject
    assert len(subject) < 120


def test_programs_link_no_bare_host_in_a_name() -> None:
    shown = text_for_email("Pay at evil.example or Booking.com, version 2.0")
    others = text_for_email("evil\u3002example evil\uff61example 192.0.2.17")

    assert others == ("evil\u3002\u2060example evil\uff61\u2060example 192.\u20600.\u20602.17")
    assert "evil.example" not in shown
    assert shown.replace("\u2060", "") == "Pay at evil.example or Booking.com, version 2.0"
    assert "2.0" in shown


@pytest.mark.parametrize("address", ["ada@acme.example", '"https://evil.example/x"@acme.example'])
def test_the_address_of_a_person_without_a_name_is_not_shown(
    address: str, browser: Client, acme: Organization, admin: User
) -> None:
    """Also one from before addresses with links were refused."""
    _kept_before(admin, " ")
    User.objects.filter(pk=admin.pk).update(email=address)
    _invite(browser, "dana@acme.example")

    (sent,) = mail.outbox
    assert sent.subject == "An admin of “Acme” invites you to join it on Latchkey"
    body = str(sent.body)
    assert "An admin of “Acme” invites you to join it on Latchkey as a member." in body
    assert address not in body


def test_what_a_browser_calls_itself_is_no_link_in_a_notification(member: User) -> None:
    agent = "Mozilla/5.0 (+https://evil.example/bot) see https://evil.example " + "x" * 400
    new = "another horse battery staple"
    client = sign_in(member, Client(headers={"User-Agent": agent}))
    mail.outbox.clear()
    answer = client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )

    assert answer.status_code == 302
    (told,) = sent()
    assert "\nDevice: Unknown device\n" in str(told.body)
    assert "evil" not in str(told.body) + html_of(told)


def test_an_invitation_to_an_address_that_is_refused_now_is_not_sent_again(
    browser: Client, acme: Organization
) -> None:
    """Each spelling of it would count for itself."""
    invitation = InvitationFactory.create(organization=acme)
    with transactions.allowed():
        Invitation.objects.filter(pk=invitation.pk).update(email='"dana"@elsewhere.example')
    where = f"{MEMBERS}invitations/{invitation.pk}/"
    mail.outbox.clear()

    answer = browser.post(where, {"do": "resend"})

    assert answer.status_code == 409
    said = _shown(answer).replace("&quot;", '"')
    assert 'Invitations to "dana"@elsewhere.example can\'t be sent again. Remove quotation' in said
    assert not mail.outbox
    assert browser.post(where, {"do": "revoke"}).status_code == 303


def test_a_recipient_gets_so_many_invitations_a_day_from_all_organizations(
    browser: Client, acme: Organization
) -> None:
    for number in range(DAILY_LIMIT - 1):
        tag = f"+{number}" if number % 2 else ""
        InvitationFactory.create(email=f"dana{tag}@elsewhere.example")
    assert "Invitation sent to" in _shown(_invite(browser, "Dana+x@elsewhere.example"))
    invitation = Invitation.objects.get(organization=acme)
    mail.outbox.clear()

    again = browser.post(f"{MEMBERS}invitations/{invitation.pk}/", {"do": "resend"})
    other = _invite(browser, "dana@elsewhere.example")
    stranger = _invite(browser, "danah@elsewhere.example")
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        InvitationFactory.create(organization=acme, email="dana+y@elsewhere.example")

    said = f"{DAILY_LIMIT} invitations were sent to this email address within a day."
    assert (again.status_code, other.status_code) == (409, 422)
    assert said in _shown(again)
    assert said in _shown(other)
    assert "Invitation sent to danah@elsewhere.example." in _shown(stranger)
    assert [message.to for message in mail.outbox] == [["danah@elsewhere.example"]]

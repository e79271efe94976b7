"""Every email has a plain text and an HTML part that say the same, in one layout."""

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import allauth
import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client, TestCase
from django.utils import timezone
from pytest_django import Settings

from config.env import ROOT
from organizations.models import Organization, User
from tests.admin.support import act, enter
from tests.factories import PASSWORD, OrganizationFactory
from tests.pages.support import sign_in
from tests.support.mails import body_of, html_of, sent

CHROME: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/141.0.0.0 Safari/537.36"
)
NOW: Final = datetime.fromisoformat("2026-11-30T14:05:00+00:00")
SITE: Final = "https://keys.example.com"
NEW: Final = "nora@new.example"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def _sign_up(email: str) -> None:
    form = {"email": email, "password1": PASSWORD, "organization": "New"}
    Client().post("/accounts/signup/", form)


def _reset(email: str) -> None:
    Client(REMOTE_ADDR="203.0.113.66").post("/accounts/password/reset/", {"email": email})


def _change_password(user: User) -> None:
    new = f"{PASSWORD} again"
    client = sign_in(user, Client(headers={"User-Agent": CHROME}, REMOTE_ADDR="203.0.113.66"))
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", form).status_code == 302


def _add_address(user: User) -> None:
    sign_in(user).post("/accounts/email/", {"action_add": "", "email": NEW})


def _invite(user: User, slug: str = "acme") -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        form = {"email": NEW, "role": "member"}
        sign_in(user).post(f"/o/{slug}/settings/members/invite/", form)


def _words(text: str) -> str:
    """Only letters and digits, to compare both parts."""
    return " ".join(re.findall(r"[\w@’'•-]+", text))


CAUSES: Final[dict[str, Any]] = {
    "sign-up": lambda admin, staff: _sign_up(NEW),
    "sign-up with a taken address": lambda admin, staff: _sign_up(admin.email),
    "reset": lambda admin, staff: _reset(admin.email),
    "reset without an account": lambda admin, staff: _reset(NEW),
    "new password": lambda admin, staff: _change_password(admin),
    "another address": lambda admin, staff: _add_address(admin),
    "invitation": lambda admin, staff: _invite(admin),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_both_parts_say_the_same(
    cause: str, acme: Organization, admin: User, staff: User, settings: Settings
) -> None:
    settings.SITE_URL = SITE
    CAUSES[cause](admin, staff)

    assert sent()
    for message in sent():
        shown = html_of(message)
        words = _words(html.unescape(re.sub(r"<[^>]+>", " ", shown)))
        for line in body_of(message).splitlines():
            if line.startswith("http"):
                assert f'href="{html.escape(line)}"' in shown
            else:
                assert _words(line) in words
        assert message.extra_headers["Auto-Submitted"] == "auto-generated"
        assert message.from_email == "Latchkey <noreply@localhost>"
        assert "<h1 " in shown
        assert f'href="{SITE}"' in shown
        assert str(message.body).endswith(f"\nLatchkey – {SITE}")
        assert "You get this email because" in str(message.body)


@pytest.mark.parametrize("cause", CAUSES)
def test_the_html_needs_nothing_from_elsewhere(
    cause: str, acme: Organization, admin: User, staff: User
) -> None:
    CAUSES[cause](admin, staff)

    for message in sent():
        shown = html_of(message)
        assert not re.search(r"<(?:img|link|script|iframe|form)\b|url\(|@import| on\w+=", shown)
        assert 'width="600"' in shown


def test_names_are_escaped_in_html_and_plain_in_text(admin: User) -> None:
    OrganizationFactory.create(name="Fish & <Chips>", admin=admin)
    _invite(admin, "fish-chips")

    (message,) = sent()
    assert "“Fish & <Chips>”" in str(message.body)
    assert "“Fish & <Chips>”" in str(message.subject)
    assert "“Fish &amp; &lt;Chips&gt;”" in html_of(message)
    assert "<Chips>" not in html_of(message)


def test_a_reset_link_says_when_it_expires(acme: Organization, admin: User) -> None:
    _reset(admin.email)

    assert "expires on 3 Dec 2026, 14:05 UTC." in body_of(sent()[-1])
    assert "expires on <strong>3 Dec 2026, 14:05 UTC</strong>." in html_of(sent()[-1])


@pytest.mark.parametrize(("later", "works"), [(-1, True), (1, False)])
def test_a_reset_link_works_as_long_as_it_says(
    acme: Organization, admin: User, clock: time_machine.Traveller, later: int, works: bool
) -> None:
    _reset(admin.email)
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", body_of(sent()[-1]))
    assert link

    clock.shift(timedelta(days=3, seconds=later))
    page = Client().get(link[1], follow=True)

    assert ('name="password1"' in page.content.decode()) is works


def test_a_confirmation_link_says_when_it_expires(db: None) -> None:
    _sign_up(NEW)

    assert "The link expires on 3 Dec 2026, 14:05 UTC." in body_of(sent()[-1])


def test_an_invitation_says_when_it_expires(acme: Organization, admin: User) -> None:
    _invite(admin)

    assert "This invitation expires on 7 Dec 2026, 14:05 UTC." in body_of(sent()[-1])


def test_the_link_that_staff_send_says_when_it_expires(staff: User, member: User) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        act(enter(Client(), staff), "send_password_link", member)

    assert "The link works once and expires on 3 Dec 2026, 14:05 UTC." in body_of(sent()[-1])


def test_a_notification_names_the_device_and_leads_to_the_sessions(
    acme: Organization, admin: User, settings: Settings
) -> None:
    settings.SITE_URL = SITE
    _change_password(admin)

    body = body_of(sent()[-1])
    assert (
        "When: 30 Nov 2026, 14:05 UTC\nDevice: Chrome on Linux\nIP address: 203.0.113.66\n" in body
    )
    assert "Mozilla" not in html_of(sent()[-1]) + body
    assert f"Review sessions:\n{SITE}/accounts/sessions/" in body


def test_a_sender_with_a_name_keeps_it(acme: Organization, admin: User, settings: Settings) -> None:
    settings.DEFAULT_FROM_EMAIL = "Keys <keys@example.com>"
    _reset(admin.email)

    assert sent()[-1].from_email == "Keys <keys@example.com>"


def test_no_email_is_written_as_plain_text_only() -> None:
    """allauth's own templates would be used for what has none of ours."""
    folders = ("account/email", "mfa/email", "organizations/mail", "apikeys/mail")
    found = [file for folder in folders for file in (ROOT / "templates" / folder).iterdir()]

    assert len(found) > 25
    assert {file.suffix for file in found} == {".html"}


def _prefixes() -> Iterator[str]:
    """The emails that the features in use can send, as allauth's code names them."""
    unused = ("login_by_code", "_by_code", "reset_code", "login_code", "socialaccount", "idp")
    for file in Path(allauth.__file__).parent.rglob("*.py"):
        for name in re.findall(r'"((?:account|mfa)/email/\w+)"', file.read_text()):
            if not any(word in f"{file}{name}" for word in (*unused, "/tests/")):
                yield name


def test_every_email_of_allauth_has_a_template_of_ours() -> None:
    names = set(_prefixes())

    assert len(names) > 14
    missing = [name for name in sorted(names) if not (ROOT / f"templates/{name}.html").exists()]
    assert missing == []


def test_the_time_of_an_email_is_now(acme: Organization, admin: User) -> None:
    _add_address(admin)

    assert timezone.now() == NOW
    assert EmailAddress.objects.filter(email=NEW).exists()
    assert all("30 Nov 2026, 14:05 UTC" in str(one.body) for one in mail.outbox)

"""Emails about keys that others created, rotated or deleted, and about old secrets in use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import StringIO
from typing import Final

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import Client, TestCase
from pytest_django import Settings

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued, key_emails
from core import transactions
from organizations.mail import background
from organizations.models import Organization, User
from organizations.roles import Role
from organizations.services import close_organization, leave_organization
from tests.admin.support import act, enter
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, IssuedKeyFactory, MembershipFactory, UserFactory
from tests.pages.support import developer, secret_in, sign_in, submission_of
from tests.support.api import CURRENT, KEYS, one
from tests.support.client import ApiClient
from tests.support.domain import acting, person
from tests.support.mails import body_of, html_of, sent

NOW: Final = datetime.fromisoformat("2026-11-30T14:05:00+00:00")
SITE: Final = "https://keys.example.com"
MakeKey = Callable[..., Issued]


@pytest.fixture(autouse=True)
def clock(settings: Settings) -> Iterator[time_machine.Traveller]:
    settings.SITE_URL = SITE
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def other(acme: Organization) -> User:
    """Acme's second admin."""
    user: User = UserFactory.create(email="olga@acme.example", name="Olga Other")
    MembershipFactory.create(organization=acme, user=user, role=Role.ADMIN)
    return user


@contextmanager
def committed() -> Iterator[None]:
    """The block's emails are sent, and no earlier ones are in the outbox."""
    mail.outbox.clear()
    with TestCase.captureOnCommitCallbacks(execute=True):
        yield


def _to() -> list[str]:
    return sorted(message.to[0] for message in sent())


def _create_on_the_page(user: User, acme: Organization) -> str:
    browser, address = sign_in(user), developer(acme, "keys/create/")
    form = {"submission": submission_of(browser.get(address)), "name": "Production"}
    with committed():
        return secret_in(browser.post(address, form))


def test_the_other_admins_hear_of_a_new_key(
    acme: Organization, admin: User, other: User, member: User, globex: Organization
) -> None:
    secret = _create_on_the_page(admin, acme)

    (message,) = sent()
    assert message.to == [other.email]
    assert message.subject == "API key “Production” created"
    body = body_of(message)
    assert "Ada Acme created this API key in Acme on 30 Nov 2026, 14:05 UTC." in body
    assert f"Key: {secret[:13]}••••\nEnvironment: Live\nPermissions: trademarks:read" in body
    assert "Expires: Never" in body
    key = ApiKey.objects.get()
    assert f"Review key:\n{SITE}{developer(acme, f'keys/{key.public_id}/')}" in body
    assert "because you're an admin of Acme." in str(message.body)
    assert f"Change email settings: {SITE}/accounts/notifications/" in str(message.body)
    assert secret not in f"{message.message()}"


def test_who_acts_gets_no_email(acme: Organization, admin: User) -> None:
    _create_on_the_page(admin, acme)

    assert sent() == []


def test_a_key_that_acts_is_someone_else(
    acme: Organization, admin: User, make_key: MakeKey
) -> None:
    maker = make_key(name="CI", scopes=ALL_SCOPES)
    with committed():
        ApiClient()("POST", KEYS, {"name": "Made", "scopes": ["search:read"]}, key=maker)

    (message,) = sent()
    assert message.to == [admin.email]
    assert body_of(message).startswith("The API key “CI (")


def test_a_rotation_says_until_when_the_old_secret_works(
    acme: Organization, admin: User, other: User, make_key: MakeKey
) -> None:
    issued = make_key(name="Production", actor=person(admin))
    with committed():
        new = services.rotate_api_key(issued.key, actor=person(other))

    (message,) = sent()
    assert (message.to, message.subject) == ([admin.email], "API key “Production” rotated")
    body = body_of(message)
    assert "Olga Other replaced the secret of this API key in Acme" in body
    assert "The old secret works until 1 Dec 2026, 14:05 UTC." in body
    assert f"New secret: {new.prefix}••••\nLast used: Never\nCreated by: Ada Acme" in body
    assert new.secret not in f"{message.message()}"


def test_a_rotation_without_overlap_says_so(
    acme: Organization, admin: User, make_key: MakeKey
) -> None:
    issued = make_key(name="Production")
    with committed():
        services.rotate_api_key(issued.key, actor=SYSTEM, grace_period=timedelta(0))

    body = body_of(sent()[-1])
    assert body.startswith("An automatic process replaced the secret")
    assert "The old secret no longer works." in body


def test_a_creator_who_is_no_admin_any_more_hears_of_their_own_keys_only(
    acme: Organization, admin: User, member: User, make_key: MakeKey
) -> None:
    with TestCase.captureOnCommitCallbacks():
        theirs = make_key(name="Theirs")
        others = make_key(name="Not theirs")
    with transactions.allowed():
        ApiKey.objects.filter(pk=theirs.key.pk).update(created_by=member)
    keys = list(ApiKey.objects.filter(pk__in=[theirs.key.pk, others.key.pk]))
    with committed():
        services.revoke_api_keys(keys, actor=SYSTEM)

    by_address = {message.to[0]: message for message in sent()}
    assert sorted(by_address) == sorted([admin.email, member.email])
    assert by_address[admin.email].subject == "2 API keys deleted"
    assert by_address[member.email].subject == "API key “Theirs” deleted"
    assert "Not theirs" not in str(by_address[member.email].body)
    assert "because you created this API key in Acme." in str(by_address[member.email].body)
    assert developer(acme) not in str(by_address[member.email].body), "the page is for admins"


def test_many_keys_make_one_email(
    acme: Organization, admin: User, other: User, make_key: MakeKey
) -> None:
    keys = [make_key(name=f"Key {number:03}").key for number in range(100)]
    with committed():
        services.revoke_api_keys(keys, actor=person(admin))

    (message,) = sent()
    assert (message.to, message.subject) == ([other.email], "100 API keys deleted")
    body = body_of(message)
    names = ", ".join(f"“Key {number:03}”" for number in range(10))
    assert f"\nKeys: {names} and 90 more\n" in body
    assert f"Open activity:\n{SITE}{developer(acme, 'activity/')}" in body


def test_an_idle_deletion_makes_none(acme: Organization, admin: User, make_key: MakeKey) -> None:
    key = make_key(name="Production").key
    services.revoke_api_key(key, actor=SYSTEM)
    with committed():
        services.revoke_api_key(key, actor=SYSTEM)

    assert sent() == []


def test_deletions_of_staff_reach_each_organization_by_itself(
    acme: Organization, admin: User, globex: Organization, outsider: User, staff: User
) -> None:
    keys = [
        IssuedKeyFactory.create(organization=owner, name=f"Key of {owner}").key
        for owner in (acme, globex)
    ]
    with committed():
        services.revoke_api_keys(keys, actor=SYSTEM)

    assert {message.to[0]: message.subject for message in sent()} == {
        admin.email: "API key “Key of Acme” deleted",
        outsider.email: "API key “Key of Globex” deleted",
    }


def test_the_api_the_admin_and_commands_cause_them_too(
    acme: Organization, admin: User, other: User, staff: User, make_key: MakeKey
) -> None:
    managing, first, second = (
        make_key(name=name, scopes=ALL_SCOPES) for name in ("Managing", "First", "Second")
    )
    third = make_key(name="Third")
    office = enter(Client(), staff)
    with committed():
        ApiClient()("DELETE", one(first), key=managing)
    assert _to() == [admin.email, other.email]
    with committed():
        act(office, "revoke", second.key, confirmed="yes", reason="Asked for")
    assert _to() == [admin.email, other.email]
    assert body_of(sent()[0]).startswith("Latchkey support deleted this API key")
    with committed():
        call_command("revoke_api_key", third.key.public_id, stdout=StringIO())
    assert _to() == [admin.email, other.email]


def test_the_use_of_an_old_secret_is_told_once_a_day(
    acme: Organization, admin: User, make_key: MakeKey, clock: time_machine.Traveller
) -> None:
    issued = make_key(name="Production")
    services.rotate_api_key(issued.key, actor=SYSTEM, grace_period=timedelta(0))
    client = ApiClient()
    numbers = []
    mail.outbox.clear()
    for minutes in (0, 2, 10, 60 * 24 + 20, 1):
        clock.shift(timedelta(minutes=minutes))
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert client("GET", CURRENT, key=issued).status == 401
        numbers.append(len(sent()))

    assert numbers == [1, 1, 1, 2, 2]
    message = sent()[0]
    assert message.to == [admin.email]
    assert message.subject == "Old secret of API key “Production” used"
    body = body_of(message)
    assert "A request used it on 30 Nov 2026, 14:05 UTC and got 401." in body
    assert f"Old secret: {issued.secret[:13]}••••\nIP address: 127.0.0.1" in body
    assert issued.secret not in f"{message.message()}"


def test_a_client_cannot_write_links_into_the_email(
    acme: Organization, admin: User, make_key: MakeKey
) -> None:
    issued = make_key(name="Production")
    services.rotate_api_key(issued.key, actor=SYSTEM, grace_period=timedelta(0))
    with committed():
        Client().get(
            CURRENT,
            headers={"Authorization": f"Bearer {issued.secret}", "User-Agent": "evil.example/1.0"},
        )

    assert "evil.example" not in str(sent()[-1].body) + html_of(sent()[-1])


def test_what_is_turned_off_is_not_sent(
    acme: Organization, admin: User, other: User, make_key: MakeKey
) -> None:
    User.objects.filter(pk=other.pk).update(muted_emails=["key_deleted"])
    key = make_key(name="Production").key
    with committed():
        services.rotate_api_key(key, actor=SYSTEM)
    assert _to() == [admin.email, other.email]
    with committed():
        services.revoke_api_key(key, actor=SYSTEM)
    assert _to() == [admin.email]


@pytest.mark.parametrize("change", ["inactive", "unconfirmed", "left"])
def test_who_cannot_sign_in_gets_none(
    acme: Organization, admin: User, other: User, make_key: MakeKey, change: str
) -> None:
    if change == "inactive":
        other.is_active = False
        other.save()
    elif change == "unconfirmed":
        EmailAddress.objects.filter(user=other).update(verified=False)
    else:
        leave_organization(acme, actor=person(other))
    with committed():
        make_key(name="Production")

    assert _to() == [admin.email]


def test_they_are_limited_by_the_hour(
    acme: Organization, admin: User, make_key: MakeKey, clock: time_machine.Traveller
) -> None:
    with committed():
        for number in range(key_emails.MOST_AN_HOUR + 5):
            make_key(name=f"Key {number}")

    assert len(sent()) == key_emails.MOST_AN_HOUR
    said = ["You won't get more of these emails" in str(message.body) for message in sent()]
    assert said == [False] * (key_emails.MOST_AN_HOUR - 1) + [True]
    clock.shift(timedelta(minutes=61))
    with committed():
        make_key(name="Later")
    assert len(sent()) == 1


def test_a_change_that_fails_causes_none(
    acme: Organization, admin: User, make_key: MakeKey
) -> None:
    def fail() -> None:
        with transaction.atomic():
            make_key(name="Production")
            raise DatabaseError

    with committed(), pytest.raises(DatabaseError):
        fail()

    assert sent() == []


def test_a_mail_server_that_is_down_fails_no_change(
    acme: Organization, admin: User, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    with committed():
        issued = services.create_api_key(organization=acme, actor=SYSTEM, name="Production")
    background.submit(bool).result()

    assert ApiKey.objects.get().pk == issued.key.pk
    assert sent() == []


def test_without_a_site_url_there_are_no_links(
    acme: Organization, admin: User, make_key: MakeKey, settings: Settings
) -> None:
    settings.SITE_URL = ""
    with committed():
        make_key(name="Production")

    (message,) = sent()
    assert "http" not in str(message.body)
    assert "List-Unsubscribe" not in message.extra_headers


def test_each_email_can_be_turned_off_with_one_click(
    acme: Organization, admin: User, make_key: MakeKey
) -> None:
    with committed():
        make_key(name="Production")
    headers = sent()[0].extra_headers

    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].removeprefix(f"<{SITE}").removesuffix(">")
    client = Client(enforce_csrf_checks=True)
    assert client.get(link).status_code == 200
    assert User.objects.get(pk=admin.pk).muted_emails == []
    assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert User.objects.get(pk=admin.pk).muted_emails == ["key_created"]
    with committed():
        make_key(name="Second")
    assert sent() == []


def test_a_closed_organization_gets_none(
    acme: Organization, admin: User, make_key: MakeKey
) -> None:
    issued = make_key(name="Production", scopes=["search:read"])
    close_organization(acme, actor=SYSTEM)

    with committed():
        services.revoke_api_key(issued.key, actor=SYSTEM)
        key_emails.retired_secret_used(issued.key.secrets.get(), actor=acting(issued))

    assert sent() == []

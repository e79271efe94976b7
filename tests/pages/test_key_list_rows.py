"""Rows of the key list: what they say about a key, and what they offer."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from django.test import Client
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey, KeyUsage
from apikeys.services import Issued
from core import transactions
from core.actors import Actor
from organizations.models import Membership, Organization, User
from organizations.services import remove_member, set_api_access, set_service_account_enabled
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.pages.support import add_many_keys, developer, html, listed_names


def test_empty(browser: Client, acme: Organization) -> None:
    text = html(browser.get(developer(acme)))

    assert "This organization has no API keys" in text
    assert acme.public_id in text
    assert re.search(r'<form [^>]*role="search"[^>]* hidden>', text)
    assert text.count("Create API key") == 1, "in the card alone"
    for habit in ("Copy once, store safely", "One key per service", "Rotate without downtime"):
        assert habit in text


def test_access_that_is_off_is_said(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Production")
    set_api_access(acme, enabled=False, actor=SYSTEM)

    page = browser.get(developer(acme))

    assert "API access is turned off for this organization." in html(page)
    assert listed_names(page) == ["Production"]


def test_each_row_offers_what_its_key_allows(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Works")
    key = make_key(name="Ended").key
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())

    text = html(browser.get(developer(acme)))

    assert text.count("/rotate/") == 1
    assert text.count("This key has expired. Create a new one instead.") == 1
    assert text.count("/edit/") == text.count("/switch/") == 2
    assert text.count('/delete/" data-dialog') == 4, "an icon, and an entry of the menu"


def test_while_api_access_is_off_the_list_offers_nothing(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Stopped")
    set_api_access(acme, enabled=False, actor=SYSTEM)

    text = html(browser.get(developer(acme)))

    assert "API access is turned off for this organization." in text
    assert developer(acme, "access/") in text
    assert "Stopped" in text
    assert not re.findall(r"/(?:edit|switch|rotate|delete|create|test)/", text)


def _row(answer: Any, name: str) -> str:
    """The text of a row as people read it."""
    row: str = next(r for r in re.findall(r"<tr role=\"row\".*?</tr>", html(answer)) if name in r)
    return " ".join(re.sub(r"<[^>]+>", " ", row).replace("\xa0", " ").split())


#: The name of a key → texts of its row.
_SAYS: Final = {
    "Soon": ("Soon Test", "Expiring soon", "in 3 days"),
    "Off": ("Disabled Since ", "2 of 5 permissions of Off Read only", "Never used"),
    "Turning": ("Rotating Old secret until ",),
    "Machine": ("Disabled With its service account", "for the service account Importer"),
    "Full": ("5 of 5 permissions of Full Full access", "Max Member left"),
    "Idle": ("1 of 5 permissions of Idle search:read", "47 days ago Unused · Review Idle"),
}


@pytest.fixture
def one_of_each(
    acme: Organization, member: User, make_key: Callable[..., Issued], as_admin: Actor
) -> None:
    """A key for each reason that a row may give."""
    now = timezone.now()
    machine = ServiceAccountFactory.create(organization=acme, name="Importer")
    make_key(name="Soon", expires_at=now + timedelta(days=3), environment="test")
    off = make_key(name="Off", scopes=["search:read", "events:read"]).key
    services.set_api_key_enabled(off, enabled=False, actor=as_admin)
    turning = make_key(name="Turning").key
    services.rotate_api_key(turning, actor=as_admin, grace_period=timedelta(hours=24))
    make_key(name="Machine", service_account=machine)
    full = make_key(name="Full", scopes=ALL_SCOPES).key
    idle = make_key(name="Idle", scopes=["search:read"]).key
    with transactions.allowed():
        ApiKey.objects.filter(pk=idle.pk).update(
            created_at=now - timedelta(days=60), last_used_at=now - timedelta(days=47)
        )
        ApiKey.objects.filter(pk=full.pk).update(created_by=member)
    set_service_account_enabled(machine, enabled=False, actor=SYSTEM)
    remove_member(Membership.objects.get(user=member), actor=SYSTEM)


def test_rows_say_why(browser: Client, acme: Organization, one_of_each: None) -> None:
    page = browser.get(developer(acme))

    said = {name: _row(page, f">{name}<") for name in _SAYS}
    expected = [(name, text) for name, texts in _SAYS.items() for text in texts]
    assert [(name, text) for name, text in expected if text not in said[name]] == []
    assert listed_names(browser.get(developer(acme, "?status=unused"))) == ["Idle"]


def test_a_sparkline_appears_with_use_alone(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    used, idle = make_key(name="Used").key, make_key(name="Idle").key
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    KeyUsage.objects.create(key=used, hour=hour, result="ok", requests=3)
    with transactions.allowed():
        ApiKey.objects.filter(pk__in=[used.pk, idle.pk]).update(last_used_at=timezone.now())

    text = html(browser.get(developer(acme)))

    assert text.count('class="spark"') == 1
    assert "Used: 3 requests in 30 days, 0 rejected" in text


def test_a_new_key_comes_first_and_is_marked(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    key = make_key(name="A").key
    make_key(name="B")

    page = browser.get(developer(acme, f"?sort=-created&new={key.public_id}"))

    assert listed_names(page) == ["A", "B"]
    assert html(page).count("data-new-name") == 1


def test_a_new_key_is_shown_first_wherever_it_belongs(
    browser: Client, acme: Organization, admin: User, make_key: Callable[..., Issued]
) -> None:
    add_many_keys(acme, admin, 30)
    new = make_key(name="Zulu").key

    page = browser.get(developer(acme, f"?sort=name&new={new.public_id}"))

    assert listed_names(page)[:2] == ["Zulu", "Bulk 00000"]
    assert [row["is_new"] for row in page.context["rows"]][:2] == [True, False]
    assert "Zulu" not in listed_names(browser.get(developer(acme, "?sort=name")))


def test_another_organizations_key_is_not_the_new_one(
    browser: Client, acme: Organization, foreigner: Issued, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Mine")

    page = browser.get(developer(acme, f"?new={foreigner.key.public_id}"))

    assert listed_names(page) == ["Mine"]

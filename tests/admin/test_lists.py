"""Lists say what they show in plain words, and lead from one object to the next."""

import re
from collections.abc import Callable

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from apikeys import services
from apikeys.events import KeyEvent
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from core.actors import RequestContext
from organizations.admin.base import StaffPages
from organizations.admin.display import event_in_words
from organizations.admin.forms import permissions_in_use
from organizations.models import (
    AuditEvent,
    Clock,
    Follower,
    Membership,
    Organization,
    ServiceAccount,
    User,
)
from organizations.services import close_organization
from tests.admin.conftest import BrowserOf
from tests.admin.support import act, change, page, text
from tests.factories import PASSWORD, SYSTEM, OrganizationFactory, UserFactory
from tests.pages.support import grow_stale
from tests.support.following import silent


def _columns(shown: str) -> list[str]:
    head = shown.partition("<thead>")[2].partition("</thead>")[0]
    return re.findall(r'class="text">.*?>?([A-Z][^<>]+)<', head)


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda m: m.__name__)
def test_a_list_is_named_after_what_it_shows(browser: Client, model: type) -> None:
    shown = text(browser.get(page(model)))
    name = str(model._meta.verbose_name_plural)  # type: ignore[attr-defined]

    assert f"<h1>{name[0].upper()}{name[1:]}</h1>" in shown
    assert "to change</h1>" not in shown


def test_the_key_list_has_icon_and_word_for_each_status(
    browser: Client, manager: Issued, reader: Issued
) -> None:
    services.set_api_key_enabled(reader.key, enabled=False, actor=SYSTEM)

    shown = text(browser.get(page(ApiKey)))

    assert re.search(r'<span class="state ok"><svg.+?</svg> Active</span>', shown)
    assert re.search(r'<span class="state off"><svg.+?</svg> Disabled</span>', shown)
    assert _columns(shown) == ["Key", "Organization", "Status", "Last used", "Expires", "Created"]


def test_the_test_environment_stands_with_the_status(
    browser: Client, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Sandbox", environment="test")

    assert "Test environment" in text(browser.get(page(ApiKey)))


def test_from_a_key_to_its_organization_activity_and_usage(
    browser: Client, manager: Issued, acme: Organization
) -> None:
    services.set_api_key_enabled(manager.key, enabled=False, actor=SYSTEM)
    key = text(browser.get(change(manager.key)))
    log = browser.get(page(manager.key, "history"), follow=True)
    organization = text(browser.get(change(acme)))

    assert f'<a href="{change(acme)}">Acme</a>' in text(browser.get(page(ApiKey)))
    assert f'<a href="{change(acme)}">Acme</a>' in key
    assert f'href="{page(manager.key, "history")}" class="historylink">Activity</a>' in key
    assert "No requests in 30 days" in key
    assert f'<a href="{change(manager.key)}">{manager.key.name}</a>' in text(log)
    assert f'href="{page(ApiKey)}?organization__id__exact={acme.pk}">API keys</a>' in organization
    event = text(browser.get(change(AuditEvent.objects.get(event="api_key.disabled"))))
    assert f'<a href="{change(acme)}">Acme</a>' in event
    assert f'<a href="{change(manager.key)}">{manager.key.name}</a>' in event


def test_the_audit_list_links_people_and_says_what_was_changed(
    browser: Client, manager: Issued, staff: User
) -> None:
    act(browser, "disable", manager.key)

    shown = text(browser.get(page(AuditEvent)))

    assert _columns(shown)[:4] == ["Time", "Event", "Actor", "Target"]
    assert f'<a href="{change(staff)}">{staff}</a><span class="second">Staff</span>' in shown
    assert '<span class="second">API key</span>' in shown
    assert re.search("<code>req_[0-9A-Za-z]{22}</code>", shown)


@pytest.mark.parametrize(("behind", "said"), [(0, "Up to date"), (3, "3 behind")])
def test_verifying_processes_say_whether_they_keep_up(
    browser: Client, behind: int, said: str
) -> None:
    silent()
    number = Clock.objects.get().number
    Follower.objects.update(number=number - behind, lease=2.5)

    shown = text(browser.get(page(Follower)))

    assert f"</svg> {said}</span>" in shown
    assert "2.5 seconds" in shown


@pytest.mark.parametrize("action", ["enable", "revoke", "set_tier"])
def test_a_selection_survives_the_confirmation(
    browser: Client, manager: Issued, reader: Issued, action: str
) -> None:
    services.set_api_key_enabled(manager.key, enabled=False, actor=SYSTEM)
    grow_stale(browser)
    act(browser, action, manager.key)
    address = f"/accounts/reauthenticate/?next={page(ApiKey)}"

    back = browser.post(address, {"password": PASSWORD}, follow=True)

    shown = text(back)
    assert re.findall(r'value="([^"]+)" class="action-select"[^>]* checked', shown) == [
        str(manager.key.pk)
    ]
    assert f'<option value="{action}" selected>' in shown
    assert "Your selection was kept." in shown
    again = text(browser.get(page(ApiKey)))
    assert " checked" not in again, "it was kept once"


def test_a_selection_is_kept_for_its_own_list(browser: Client, manager: Issued) -> None:
    grow_stale(browser)
    act(browser, "revoke", manager.key)
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert " checked" not in text(browser.get(page(Membership)))
    assert " checked" in text(browser.get(page(ApiKey)))


def test_permissions_are_offered_in_words_and_only_those_in_use(
    browser: Client, member: User
) -> None:
    shown = text(browser.get(change(member)))

    assert "organizations | user" not in shown
    assert "Can view" not in shown
    offered = set(re.findall(r'name="user_permissions" value="(\d+)"', shown))
    assert offered == {str(pk) for pk in permissions_in_use().values_list("pk", flat=True)}
    unused = Permission.objects.get(codename="delete_apikey")
    assert str(unused.pk) not in offered


def test_a_permission_that_is_not_offered_stays_when_others_change(
    browser: Client, member: User
) -> None:
    odd = Permission.objects.get(codename="delete_apikey")
    view = Permission.objects.get(codename="view_apikey")
    member.user_permissions.add(odd)
    shown = text(browser.get(change(member)))
    kept = re.findall(r'name="user_permissions" value="(\d+)"[^>]* checked', shown)
    assert kept == [str(odd.pk)]
    sent = {"email": member.email, "name": member.name, "is_active": "on", "is_staff": "on"}

    browser.post(change(member), {**sent, "user_permissions": [*kept, view.pk]})

    assert set(member.user_permissions.all()) == {odd, view}


def test_who_may_not_change_permissions_reads_them_in_words(clerk_with: BrowserOf) -> None:
    person = UserFactory.create(email="pat@acme.example")
    person.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    browser = clerk_with("view_user", "change_user")

    shown = text(browser.get(change(person)))

    assert "View API keys" in shown
    assert 'name="user_permissions"' not in shown


def test_each_page_of_the_admin_names_the_permissions_that_it_asks_for() -> None:
    for model, pages in admin.site._registry.items():
        assert isinstance(pages, StaffPages), model
        assert set(pages.permissions_in_use) <= {"view", "add", "change", "delete"}
        assert "view" in pages.permissions_in_use


def test_a_user_agent_is_named_in_words_above_its_text(browser: Client, manager: Issued) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36"
    with transactions.allowed():
        ApiKey.objects.filter(pk=manager.key.pk).update(last_used_user_agent=agent)

    actor = SYSTEM._replace(origin=RequestContext(user_agent="curl/8.5.0"))
    services.set_api_key_enabled(manager.key, enabled=False, actor=actor)
    event = AuditEvent.objects.get(event=KeyEvent.DISABLED)

    shown = text(browser.get(change(manager.key)))

    assert 'curl 8.5<span class="second">curl/8.5.0</span>' in text(browser.get(change(event)))
    assert f'Chrome on Windows<span class="second">{agent}</span>' in shown


def _filter_choices(shown: str, title: str) -> list[str]:
    found = shown.partition(f"By {title}")[2].partition("</ul>")[0]
    return [words.strip() for words in re.findall(r"<a [^>]+>([^<]+)</a>", found)]


def test_filters_use_the_words_of_the_lists(browser: Client, acme: Organization) -> None:
    closed = OrganizationFactory.create(name="Closed one")
    close_organization(closed, actor=SYSTEM)

    organizations = text(browser.get(page(Organization)))
    accounts = text(browser.get(page(ServiceAccount)))
    events = text(browser.get(page(AuditEvent)))
    only_open = text(browser.get(page(Organization), {"closed_at__isempty": "1"}))

    assert _filter_choices(organizations, "state") == ["All", "Open", "Closed"]
    assert _filter_choices(organizations, "rate limit") == ["All", "Standard"]
    assert _filter_choices(accounts, "status") == ["All", "Active", "Disabled"]
    assert "Any date" in _filter_choices(events, "date")
    assert "Acme" in only_open
    assert "Closed one" not in only_open


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("api_key.created", "API key created"),
        ("api_key.retired_secret_used", "API key old secret used"),
        ("trail.addresses_erased", "IP addresses erased from the log"),
        ("person.forgotten", "User anonymized"),
        ("person.emails_chosen", "User email settings changed"),
        ("person.second_factor_added", "User two-factor method added"),
    ],
)
def test_events_use_the_words_of_the_pages(event: str, words: str) -> None:
    assert event_in_words(event) == words


def test_staff_sign_out(browser: Client) -> None:
    assert '<button type="submit">Sign out</button>' in text(browser.get(page(Organization)))

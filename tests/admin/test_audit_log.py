"""The audit log can be viewed, searched and filtered, but not changed."""

from typing import Any

import pytest
from django.test import Client

from apikeys import services
from apikeys.services import Issued
from core import bulkheads
from organizations.models import AuditEvent, Organization, User
from tests.admin.support import act, everything, messages, page, text
from tests.factories import SYSTEM

LIST = "/admin/organizations/auditevent/"


@pytest.fixture
def event(manager: Issued, foreigner: Issued) -> AuditEvent:
    services.revoke_api_key(manager.key, actor=SYSTEM, reason="Leaked.")
    return AuditEvent.objects.get(event="api_key.revoked")


def found(response: Any) -> list[AuditEvent]:
    return list(response.context["cl"].queryset)


def test_an_event_shows_all_that_it_knows(browser: Client, staff: User, manager: Issued) -> None:
    act(browser, "revoke", manager.key, confirmed="yes", reason="Leaked.")
    event = AuditEvent.objects.get(event="api_key.revoked")

    shown = text(browser.get(page(event, "change")))

    told = ["At:", "Sam Staff", "api_key.revoked", "203.0.113.9", event.request_id, "Leaked."]
    told += [str(staff.pk), str(manager.key.pk), str(event.pk)]
    assert [fact for fact in told if fact not in shown] == []


@pytest.mark.parametrize("view", ["add", "change", "delete"])
def test_nothing_is_written(browser: Client, event: AuditEvent, view: str) -> None:
    before = everything()
    target = AuditEvent if view == "add" else event

    response = browser.post(page(target, view), {"event": "forged", "post": "yes"})

    assert response.status_code == 403
    assert everything() == before


def test_no_action_is_offered_or_obeyed(browser: Client, event: AuditEvent) -> None:
    before = everything()
    act(browser, "delete_selected", event, post="yes")

    assert 'name="action"' not in text(browser.get(LIST))
    assert everything() == before


@pytest.mark.parametrize("attribute", ["target_id", "target_label", "actor_label"])
def test_it_is_found_by(browser: Client, event: AuditEvent, attribute: str) -> None:
    wanted = getattr(event, attribute)

    response = browser.get(LIST, {"q": str(wanted), "event": "api_key.revoked"})

    assert found(response) == [event]


def test_it_is_found_by_request_id(browser: Client, manager: Issued) -> None:
    act(browser, "disable", manager.key)
    event = AuditEvent.objects.get(event="api_key.disabled")

    assert found(browser.get(LIST, {"q": event.request_id})) == [event]


def test_the_uuid_of_an_organization_finds_its_trail(
    browser: Client, event: AuditEvent, acme: Organization
) -> None:
    events = found(browser.get(LIST, {"q": str(acme.pk)}))

    assert event in events
    assert {e.organization_id for e in events} == {acme.pk}


def test_it_is_filtered_by_the_kind_of_actor(browser: Client, manager: Issued) -> None:
    act(browser, "disable", manager.key)

    events = found(browser.get(LIST, {"actor_kind__exact": "staff"}))

    assert [e.event for e in events] == ["api_key.disabled"]


def test_nonsense_in_the_address_is_no_failure(browser: Client, event: AuditEvent) -> None:
    response = browser.get(LIST, {"organization_id": "nonsense"}, follow=True)

    assert response.status_code == 200


def test_the_history_of_a_key_is_its_trail(browser: Client, manager: Issued) -> None:
    act(browser, "disable", manager.key)

    response = browser.get(page(manager.key, "history"), follow=True)

    assert [e.event for e in found(response)] == ["api_key.disabled", "api_key.created"]


def test_the_history_of_an_event_is_that_of_its_target(browser: Client, event: AuditEvent) -> None:
    events = found(browser.get(page(event, "history"), follow=True))

    assert [e.event for e in events] == ["api_key.revoked", "api_key.created"]


@pytest.mark.parametrize("object_id", ["nonsense", "01a1fcb4-0fc8-768a-ab0f-74d56f42eb42"])
def test_the_history_of_nothing_is_not_found(browser: Client, object_id: str) -> None:
    assert browser.get(f"/admin/apikeys/apikey/{object_id}/history/").status_code == 404


def test_a_search_for_text_is_refused_while_too_many_wait(
    browser: Client, event: AuditEvent, no_place_free: None
) -> None:
    answer = browser.get(LIST, {"q": "Manager"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert messages(answer) == ["Too many searches are in progress. Try again in 2 seconds."]
    assert found(answer) == []
    assert 'value="Manager"' in text(answer), "what was typed is kept"


def test_a_search_for_an_id_needs_no_place(
    browser: Client, event: AuditEvent, no_place_free: None
) -> None:
    assert found(browser.get(LIST, {"q": str(event.target_id)}))
    assert found(browser.get(LIST))


def test_a_search_for_text_gives_its_place_back(
    browser: Client, event: AuditEvent, bulkheads_of_four: None
) -> None:
    assert found(browser.get(LIST, {"q": event.target_label}))
    assert bulkheads.taken() == 0

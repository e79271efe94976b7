"""Staff disable, enable and revoke keys, one or several at a time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from organizations.audit import EventNotWritten
from organizations.models import AuditEvent, User
from tests.admin.support import act, change, everything, messages, only_event, page, text
from tests.factories import SYSTEM
from tests.support.domain import SECRET, unwritable_trail

LIST = "/admin/apikeys/apikey/"


@pytest.fixture
def key(manager: Issued) -> ApiKey:
    return manager.key


@pytest.fixture
def other(reader: Issued) -> ApiKey:
    return reader.key


@pytest.mark.parametrize("action", ["disable", "enable"])
def test_one_key_is_switched_from_its_page(
    browser: Client, staff: User, key: ApiKey, action: str
) -> None:
    services.set_api_key_enabled(key, enabled=action == "disable", actor=SYSTEM)

    response = act(browser, action, key, from_detail="yes")

    key.refresh_from_db()
    assert response.redirect_chain == [(change(key), 302)]
    assert key.enabled == (action == "enable")
    assert only_event(f"api_key.{action}d", staff).target_id == key.pk


def test_a_key_gets_a_rate_limit_of_its_own(
    browser: Client, staff: User, key: ApiKey, other: ApiKey
) -> None:
    asked = act(browser, "set_tier", key, other)
    assert "As its organization" in text(asked)

    response = act(browser, "set_tier", key, confirmed="yes", rate_limit_tier="high")

    key.refresh_from_db()
    assert messages(response) == ["Keys with this rate limit now: 1."]
    assert (key.rate_limit_tier, key.tier, other.tier) == ("high", "high", "standard")
    event = only_event("api_key.rate_limit_tier_changed", staff)
    assert event.details == {"rate_limit_tier": ["", "high"]}
    act(browser, "set_tier", key, confirmed="yes", rate_limit_tier="")
    key.refresh_from_db()
    assert key.tier == "standard"


def test_a_tier_that_there_is_not_is_refused(browser: Client, key: ApiKey) -> None:
    response = act(browser, "set_tier", key, confirmed="yes", rate_limit_tier="endless")

    key.refresh_from_db()
    assert "Select a valid choice." in text(response)
    assert key.rate_limit_tier == ""


def test_several_keys_are_disabled(browser: Client, key: ApiKey, other: ApiKey) -> None:
    response = act(browser, "disable", key, other)

    assert response.redirect_chain == [(LIST, 302)]
    assert messages(response) == ["Disabled keys: 2."]
    assert AuditEvent.objects.filter(actor_kind="staff", event="api_key.disabled").count() == 2


@pytest.mark.parametrize(
    ("action", "done", "why"),
    [
        ("disable", "Disabled keys: 1.", "This key has been revoked and can't be restored."),
        ("revoke", "Revoked keys: 1.", "This key is already revoked."),
    ],
)
def test_of_several_keys_a_revoked_one_is_named_and_the_others_are_done(
    browser: Client, staff: User, key: ApiKey, other: ApiKey, action: str, done: str, why: str
) -> None:
    services.revoke_api_key(other, actor=SYSTEM)

    response = act(browser, action, key, other, confirmed="yes", reason="Leaked.")

    said = messages(response)
    assert len(said) == 2
    assert said[0].startswith(f"Reader: {why}")
    assert said[1] == done
    assert only_event(f"api_key.{action}d", staff).target_id == key.pk


def test_revoking_asks_first(browser: Client, key: ApiKey) -> None:
    used_at = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=used_at)
    before = everything()

    response = act(browser, "revoke", key)

    assert response.status_code == 200
    assert "last used 4 Mar 2026, 05:06 UTC" in text(response)
    assert everything() == before


def test_revoking_says_where_a_key_was_never_used(browser: Client, key: ApiKey) -> None:
    assert "never used" in text(act(browser, "revoke", key))


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("", "This field is required."),
        ("  ", "This field is required."),
        ("x" * 501, "Use 500 characters or fewer. You have used 501."),
        ("be\x07ll", "Remove the control or text-direction characters."),
        (f"Found {SECRET} in a log", "We cleared this field because it contained an API key."),
    ],
)
def test_revoking_needs_a_reason_that_can_be_kept(
    browser: Client, key: ApiKey, reason: str, why: str
) -> None:
    before = everything()

    response = act(browser, "revoke", key, confirmed="yes", reason=reason)

    assert response.status_code == 200
    assert why in text(response)
    assert SECRET not in text(response)
    assert response.context["form"]["reason"].value() == ("" if SECRET in reason else reason)
    assert everything() == before


def test_a_key_is_revoked_with_a_reason(browser: Client, staff: User, key: ApiKey) -> None:
    act(browser, "revoke", key, confirmed="yes", reason="Found in a log.")

    key.refresh_from_db()
    assert key.status == "revoked"
    assert only_event("api_key.revoked", staff).details == {"reason": "Found in a log."}


def test_several_keys_are_revoked(browser: Client, key: ApiKey, other: ApiKey) -> None:
    response = act(browser, "revoke", key, other, confirmed="yes", reason="Leaked.")

    assert messages(response) == ["Revoked keys: 2."]
    assert not ApiKey.objects.unrevoked().exists()


def test_too_many_keys_for_one_form_are_not_revoked(browser: Client, key: ApiKey) -> None:
    with transactions.allowed():
        ApiKey.objects.bulk_create(
            ApiKey(organization=key.organization, name=f"{n}", name_key=f"{n}") for n in range(500)
        )
    before = everything()
    chosen = {"action": "revoke", "index": "0", "select_across": "1", ACTION_CHECKBOX_NAME: key.pk}

    browser.post(LIST, chosen)

    assert "Select 500 keys or fewer at a time." in browser.session["_messages"]
    assert everything() == before


def test_giving_up_leads_back_to_where_one_came_from(browser: Client, key: ApiKey) -> None:
    from_list = text(act(browser, "revoke", key))
    from_page = text(act(browser, "revoke", key, from_detail="yes"))

    assert f'class="closelink" href="{LIST}"' in from_list
    assert f'class="closelink" href="{change(key)}"' in from_page


def test_revoking_from_a_keys_page_leads_back_to_it(browser: Client, key: ApiKey) -> None:
    response = act(browser, "revoke", key, confirmed="yes", reason="Leaked.", from_detail="yes")

    assert response.redirect_chain == [(change(key), 302)]


def test_a_keys_page_offers_what_can_still_be_done(browser: Client, key: ApiKey) -> None:
    def offered() -> list[str]:
        shown = text(browser.get(change(key)))
        return [action for action in ("disable", "enable", "revoke") if f'"{action}"' in shown]

    active = offered()
    services.set_api_key_enabled(key, enabled=False, actor=SYSTEM)
    disabled = offered()
    services.revoke_api_key(key, actor=SYSTEM)
    assert [active, disabled, offered()] == [["disable", "revoke"], ["enable", "revoke"], []]


def test_a_keys_page_shows_each_secret_by_its_prefix(browser: Client, manager: Issued) -> None:
    services.rotate_api_key(manager.key, actor=SYSTEM)
    services.rotate_api_key(manager.key, actor=SYSTEM, grace_period=timedelta(0), force=True)
    shown = text(browser.get(change(manager.key)))

    assert shown.count("••••</code> made") == 3
    assert [shown.count(end) for end in (", current", ", ended", ", works until")] == [1, 2, 0]


def test_posting_to_a_keys_page_changes_nothing(browser: Client, key: ApiKey) -> None:
    before = everything()

    response = browser.post(
        change(key), {"name": "Stolen", "scopes": "[]", "revoked_at": "", "_save": "Save"}
    )

    assert response.status_code == 405
    assert everything() == before


def test_a_key_is_never_deleted(browser: Client, key: ApiKey) -> None:
    before = everything()

    assert browser.post(page(key, "delete"), {"post": "yes"}).status_code == 403
    act(browser, "delete_selected", key, post="yes")

    assert everything() == before


def test_an_action_on_nothing_changes_nothing(browser: Client, key: ApiKey) -> None:
    before = everything()
    sent = {"action": "disable", "index": "0", "select_across": "1", "from_detail": "yes"}

    response = browser.post(LIST, sent)

    assert response.status_code == 302
    assert everything() == before


@pytest.mark.parametrize("selected", ["zzz", "\x00", "//evil.example", ""])
def test_an_action_on_an_impossible_id_is_a_bad_request(browser: Client, selected: str) -> None:
    sent = {"action": "disable", "_selected_action": selected, "index": "0"}

    assert browser.post("/admin/apikeys/apikey/", sent).status_code == 400


def test_keys_of_several_organizations_are_revoked_in_one_operation_or_none(
    browser: Client, key: ApiKey, other: ApiKey, foreigner: Issued
) -> None:
    chosen = (key, other, foreigner.key)
    before = everything()
    with unwritable_trail(), pytest.raises(EventNotWritten):
        act(browser, "revoke", *chosen, confirmed="yes", reason="Leaked.")
    assert everything() == before

    response = act(browser, "revoke", *chosen, confirmed="yes", reason="Leaked.")

    assert messages(response) == ["Revoked keys: 3."]
    ends = ApiKey.objects.values_list("revoked_at", flat=True)
    assert len(ends) == 3
    assert len(set(ends)) == 1
    assert AuditEvent.objects.filter(event="api_key.revoked").count() == 3

"""Disabling and enabling keys selected in the list."""

from typing import Any

import pytest
from django.test import Client

from apikeys import services
from apikeys.models import ApiKey
from apikeys.pages.keys.bulk import MOST_SELECTED
from apikeys.services import Issued
from organizations.models import AuditEvent, Organization, User
from tests.factories import SYSTEM
from tests.pages.support import add_many_keys, developer, html, sign_in
from tests.support.api import MakeKey
from tests.support.domain import nothing_written

WORDS = {"disable": "Disable", "enable": "Enable"}


@pytest.fixture
def keys(make_key: MakeKey) -> list[ApiKey]:
    return [make_key(name=f"Key {number}", scopes=["search:read"]).key for number in range(3)]


@pytest.fixture(params=WORDS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def there(acme: Organization, way: str) -> str:
    return developer(acme, f"keys/{way}/")


def _ids(*keys: ApiKey) -> dict[str, list[str]]:
    return {"key": [key.public_id for key in keys]}


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text.replace("&#x27;", "'")


def _working() -> set[str]:
    return set(ApiKey.objects.filter(disabled_at=None).values_list("name", flat=True))


def test_the_list_leads_to_each_confirmation(
    browser: Client, acme: Organization, keys: list[ApiKey], there: str
) -> None:
    assert f'formaction="{there}"' in _text(browser.get(developer(acme)))


def test_the_confirmation_names_the_keys_and_changes_nothing(
    browser: Client, keys: list[ApiKey], there: str, way: str
) -> None:
    with nothing_written():
        text = _text(browser.get(there, _ids(*keys[:2])))

    assert f"{WORDS[way]} 2 keys?" in text
    assert [f"<strong>{key.name}</strong>" in text for key in keys] == [True, True, False]
    assert f'action="{there}"' in text


def test_keys_are_disabled_and_enabled_again(
    browser: Client, acme: Organization, admin: User, keys: list[ApiKey]
) -> None:
    off = browser.post(developer(acme, "keys/disable/"), _ids(*keys[:2]), follow=True)
    assert _working() == {"Key 2"}
    on = browser.post(developer(acme, "keys/enable/"), _ids(*keys[:2]), follow=True)

    assert "2 keys disabled. Requests with them now get 401 until you enable them." in _text(off)
    assert "2 keys enabled. They work again." in _text(on)
    assert _working() == {"Key 0", "Key 1", "Key 2"}
    events = AuditEvent.objects.filter(actor_id=admin.pk, target_type="ApiKey")
    assert sorted(events.values_list("event", "target_label")) == [
        ("api_key.disabled", "Key 0"),
        ("api_key.disabled", "Key 1"),
        ("api_key.enabled", "Key 0"),
        ("api_key.enabled", "Key 1"),
    ]


def test_one_key_is_named(browser: Client, acme: Organization, keys: list[ApiKey]) -> None:
    there = developer(acme, "keys/disable/")

    asked = _text(browser.get(there, _ids(keys[0])))
    answer = browser.post(there, _ids(keys[0]), follow=True)

    assert "Disable “Key 0”?" in asked
    assert "Key Key 0 disabled." in _text(answer)


def test_a_dialog_says_it_on_the_page_behind(
    browser: Client, keys: list[ApiKey], there: str, way: str
) -> None:
    answer = browser.post(there, _ids(*keys), headers={"X-Dialog": "1"})

    assert f'<p data-done="ok">3 keys {way}d.' in _text(answer)


def test_nothing_selected(browser: Client, there: str) -> None:
    asked, sent = browser.get(there), browser.post(there)

    assert (asked.status_code, sent.status_code) == (200, 422)
    for answer in (asked, sent):
        assert "Select keys in the list first." in _text(answer)
        assert "Nothing was changed." in _text(answer)


def test_too_many_selected(browser: Client, acme: Organization, admin: User, there: str) -> None:
    add_many_keys(acme, admin, MOST_SELECTED + 1)

    with nothing_written():
        answer = browser.post(there, _ids(*ApiKey.objects.all()))

    assert answer.status_code == 422
    assert "Select 100 keys or fewer. Nothing was changed." in _text(answer)


def test_keys_that_were_deleted_meanwhile_are_left_out(
    browser: Client, keys: list[ApiKey], there: str, way: str
) -> None:
    services.revoke_api_key(keys[0], actor=SYSTEM)

    answer = browser.post(there, _ids(*keys), follow=True)
    services.revoke_api_keys(keys, actor=SYSTEM)
    with nothing_written():
        again = browser.post(there, _ids(*keys))

    assert f"2 keys {way}d." in _text(answer)
    assert again.status_code == 422
    assert "Keys that were already deleted are not in it." in _text(again)


def test_a_deletion_between_the_page_and_the_operation_is_said(
    browser: Client, keys: list[ApiKey], there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = services.set_api_keys_enabled

    def deleted_first(chosen: list[ApiKey], **how: Any) -> list[ApiKey]:
        services.revoke_api_key(chosen[0], actor=SYSTEM)
        return switch(chosen, **how)

    monkeypatch.setattr(services, "set_api_keys_enabled", deleted_first)
    answer = browser.post(there, _ids(*keys))

    assert answer.status_code == 422
    assert "can't be restored" in _text(answer).split('role="alert"')[1]
    assert _working() == {"Key 0", "Key 1", "Key 2"}


@pytest.mark.parametrize("text", ["", "zzz", "theirs"])
def test_an_id_of_nothing_or_of_another_organization_changes_nothing(
    browser: Client, keys: list[ApiKey], foreigner: Issued, there: str, text: str
) -> None:
    other = foreigner.key.public_id if text == "theirs" else text
    chosen = {"key": [keys[0].public_id, other]}

    with nothing_written():
        answers = [browser.get(there, chosen), browser.post(there, chosen)]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_an_outsider_changes_nothing(
    outsider: User, globex: Organization, keys: list[ApiKey], way: str
) -> None:
    with nothing_written():
        answer = sign_in(outsider).post(developer(globex, f"keys/{way}/"), _ids(*keys))

    assert answer.status_code == 404

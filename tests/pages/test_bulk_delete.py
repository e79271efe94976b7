"""Deleting keys selected in the list, and the keys that they created."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey
from apikeys.pages.keys.bulk import MOST_SELECTED
from apikeys.services import Issued, created_keys
from core import transactions
from organizations.models import AuditEvent, Organization, User
from organizations.services import set_api_access
from tests.conftest import ALL_SCOPES
from tests.factories import PASSWORD, SYSTEM, IssuedKeyFactory
from tests.pages.support import add_many_keys, developer, grow_stale, html, sign_in, told
from tests.support.api import MakeKey, never
from tests.support.domain import acting, nothing_written

DELETE = "keys/delete/"


@pytest.fixture
def keys(make_key: MakeKey) -> list[ApiKey]:
    return [make_key(name=f"Key {number}", scopes=["search:read"]).key for number in range(3)]


@pytest.fixture
def maker(make_key: MakeKey, acme: Organization) -> Issued:
    """A key that has created one, which has created another."""
    first = make_key(name="Maker", scopes=ALL_SCOPES)
    fields = {"organization": acme, "scopes": ALL_SCOPES}
    second = IssuedKeyFactory.create(name="Child", actor=acting(first), **fields)
    IssuedKeyFactory.create(name="Grandchild", actor=acting(second), **fields)
    return first


@pytest.fixture
def there(acme: Organization) -> str:
    return developer(acme, DELETE)


def _ids(*keys: ApiKey) -> dict[str, list[str]]:
    return {"key": [key.public_id for key in keys]}


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text.replace("&#x27;", "'")


def _same_for_all(answer: Any) -> str:
    """The page without what differs in each response: its ID, its URL and its tokens."""
    page = _text(answer).replace(answer["X-Request-Id"], "")
    return re.sub(r'(name="(?:next|csrfmiddlewaretoken)" value=)"[^"]*"', r"\1", page)


def _live() -> set[str]:
    return set(ApiKey.objects.unrevoked().values_list("name", flat=True))


def _use(*keys: ApiKey) -> None:
    with transactions.allowed():
        ids = [key.pk for key in keys]
        ApiKey.objects.filter(pk__in=ids).update(last_used_at=timezone.now() - timedelta(days=2))


def test_the_list_has_a_box_for_each_key_and_leads_to_the_confirmation(
    browser: Client, acme: Organization, keys: list[ApiKey], there: str
) -> None:
    text = _text(browser.get(developer(acme)))

    assert f'action="{there}"' in text
    for key in keys:
        box = f'<input type="checkbox" name="key" value="{key.public_id}" form="bulk" data-select>'
        assert f'{box} <span class="visually-hidden">Select {key.name}</span>' in text


def test_while_api_access_is_off_nothing_can_be_selected(
    browser: Client, acme: Organization, keys: list[ApiKey]
) -> None:
    set_api_access(acme, enabled=False, actor=SYSTEM)

    text = _text(browser.get(developer(acme)))

    assert keys[0].name in text
    assert "data-select" not in text


def test_the_confirmation_names_the_keys_and_changes_nothing(
    browser: Client, keys: list[ApiKey], there: str
) -> None:
    with nothing_written():
        text = _text(browser.get(there, _ids(*keys[:2])))

    assert "Delete 2 keys?" in text
    assert [f"<strong>{key.name}</strong>" in text for key in keys] == [True, True, False]
    assert "Also delete" not in text
    assert "to confirm" not in text


def test_the_keys_are_deleted_and_the_list_is_without_them(
    browser: Client, admin: User, keys: list[ApiKey], there: str
) -> None:
    answer = browser.post(there, _ids(*keys[:2]), follow=True)

    assert "2 keys deleted. Requests with them now get 401." in _text(answer)
    assert [row["key"].name for row in answer.context["rows"]] == ["Key 2"]
    events = AuditEvent.objects.filter(event="api_key.revoked", actor_id=admin.pk)
    assert {event.target_id for event in events} == {key.pk for key in keys[:2]}


def test_one_selected_key_is_asked_about_by_name(
    browser: Client, keys: list[ApiKey], there: str
) -> None:
    asked = _text(browser.get(there, _ids(keys[0])))
    answer = browser.post(there, _ids(keys[0], keys[0]), follow=True)

    assert "Delete “Key 0”?" in asked
    assert "Key Key 0 deleted. Requests with it now get 401." in _text(answer)


@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_consequence_is_said_once(
    browser: Client, keys: list[ApiKey], there: str, used: bool, count: int
) -> None:
    if used:
        _use(keys[0])

    asked = _text(browser.get(there, _ids(*keys[:count])))

    assert asked.count("401") == asked.count("can't be undone") == 1
    assert asked.count('class="notice') == 1
    assert ("Something still uses this key." in asked) is (used and count == 1)


def test_keys_in_use_are_deleted_after_a_word(
    browser: Client, keys: list[ApiKey], there: str
) -> None:
    _use(keys[0])

    asked = _text(browser.get(there, _ids(*keys)))
    with nothing_written():
        wrong = browser.post(there, {**_ids(*keys), "typed": "yes"})
    right = browser.post(there, {**_ids(*keys), "typed": " delete "})

    assert "1 of these keys was used in the last seven days." in asked
    assert "Last used 2 days ago" in re.sub(r"<[^>]+>", "", asked).replace("\xa0", " ")
    assert wrong.status_code == 422
    assert "Type “delete” to confirm." in _text(wrong)
    assert right.status_code == 303
    assert not _live()


def test_an_old_sign_in_is_confirmed_first_and_the_selection_is_kept(
    browser: Client, keys: list[ApiKey], there: str
) -> None:
    grow_stale(browser)
    with nothing_written():
        asked = browser.post(there, _ids(*keys[:2]))
    carried: dict[str, list[str]] = {}
    for name, value in asked.context["carried"]:
        carried.setdefault(name, []).append(value)

    done = browser.post(there, {**carried, "confirm_password": PASSWORD})

    assert asked.status_code == 422
    assert f'action="{there}"' in _text(asked)
    assert done.status_code == 303
    assert _live() == {"Key 2"}


def test_what_the_keys_created_is_offered_and_left_by_default(
    browser: Client, maker: Issued, keys: list[ApiKey], there: str
) -> None:
    asked = _text(browser.get(there, _ids(maker.key, keys[0])))

    assert "Also delete the 2 keys that these keys created" in asked
    assert "<strong>Grandchild</strong>" in asked
    assert "checked" not in asked
    browser.post(there, _ids(maker.key, keys[0]))
    assert _live() == {"Child", "Grandchild", "Key 1", "Key 2"}


def test_what_the_keys_created_is_deleted_on_request(
    browser: Client, maker: Issued, keys: list[ApiKey], there: str
) -> None:
    answer = browser.post(there, {**_ids(maker.key, keys[0]), "cascade": "on"}, follow=True)

    assert "4 keys deleted." in _text(answer)
    assert _live() == {"Key 1", "Key 2"}


def test_the_activity_says_which_went_with_the_key_that_created_them(
    browser: Client, acme: Organization, maker: Issued, there: str
) -> None:
    browser.post(there, {**_ids(maker.key), "cascade": "on"})

    lines = told(browser.get(developer(acme, "activity/")))

    assert "Ada Acme deleted the key Maker" in lines
    assert "Ada Acme deleted the key Grandchild – Together with the key that created it" in lines


@pytest.mark.parametrize(
    ("sent", "left"), [({}, {"Child", "Grandchild"}), ({"cascade": "on"}, set())]
)
def test_the_dialog_of_one_key_offers_what_it_created(
    browser: Client, acme: Organization, maker: Issued, sent: dict[str, str], left: set[str]
) -> None:
    there = developer(acme, f"keys/{maker.key.public_id}/delete/")

    asked = _text(browser.get(there))
    browser.post(there, sent)

    assert "Also delete the 2 keys that this key created" in asked
    assert "<strong>Child</strong>" in asked
    assert "checked" not in asked
    assert _live() == left


def test_a_key_that_created_none_is_offered_nothing(
    browser: Client, acme: Organization, keys: list[ApiKey]
) -> None:
    text = _text(browser.get(developer(acme, f"keys/{keys[0].public_id}/delete/")))

    assert "Also delete" not in text


def test_of_many_created_keys_the_first_are_named(
    browser: Client, acme: Organization, admin: User, maker: Issued
) -> None:
    _create_in_bulk(acme, admin, maker, 70)

    text = _text(browser.get(developer(acme, f"keys/{maker.key.public_id}/delete/")))

    assert "Also delete the 72 keys that this key created" in text
    assert text.count("<strong>") == 50
    assert "and 22 more" in text


def _create_in_bulk(acme: Organization, admin: User, maker: Issued, number: int) -> None:
    add_many_keys(acme, admin, number)
    with transactions.allowed():
        ApiKey.objects.filter(name__startswith="Bulk").update(created_by_key=maker.key)


@pytest.mark.parametrize("address", [DELETE, "keys/{}/delete/"])
def test_more_than_can_be_deleted_together_is_refused(
    browser: Client, acme: Organization, admin: User, maker: Issued, address: str
) -> None:
    _create_in_bulk(acme, admin, maker, services.MOST_REVOKED)
    there = developer(acme, address.format(maker.key.public_id))

    asked = _text(browser.get(there, _ids(maker.key)))
    with nothing_written():
        answer = browser.post(there, {**_ids(maker.key), "cascade": "on"})

    assert "there are too many to delete at the same time" in asked
    assert "Also delete" not in asked
    assert answer.status_code == 422
    assert "This would revoke more than 1,000 keys." in _text(answer)


def test_more_than_can_be_followed_is_not_offered(
    browser: Client, acme: Organization, maker: Issued, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(created_keys, "MOST_FOLLOWED", 1)

    text = _text(browser.get(developer(acme, f"keys/{maker.key.public_id}/delete/")))

    assert "there are too many to delete at the same time" in text


def test_nothing_selected(browser: Client, there: str) -> None:
    asked, sent = browser.get(there), browser.post(there)

    assert (asked.status_code, sent.status_code) == (200, 422)
    for answer in (asked, sent):
        assert "Select keys in the list first." in _text(answer)
        assert "Nothing was deleted." in _text(answer)


def test_too_many_selected(browser: Client, acme: Organization, admin: User, there: str) -> None:
    add_many_keys(acme, admin, MOST_SELECTED + 1)
    keys = list(ApiKey.objects.all())

    with nothing_written():
        answer = browser.post(there, _ids(*keys))
    fewer = browser.get(there, _ids(*keys[1:]))

    assert answer.status_code == 422
    assert "Select 100 keys or fewer. Nothing was deleted." in _text(answer)
    assert "Delete 100 keys?" in _text(fewer)


def test_keys_that_were_deleted_meanwhile_are_left_out(
    browser: Client, keys: list[ApiKey], there: str
) -> None:
    services.revoke_api_key(keys[0], actor=SYSTEM)

    asked = _text(browser.get(there, _ids(*keys)))
    answer = browser.post(there, _ids(*keys), follow=True)
    again = browser.post(there, _ids(*keys))

    assert "Delete 2 keys?" in asked
    assert "2 keys deleted." in _text(answer)
    assert again.status_code == 422
    assert "Keys that were already deleted are not in it." in _text(again)


@pytest.mark.parametrize("text", ["", "zzz", "key_0000000000000000000000", "theirs"])
def test_an_id_of_nothing_or_of_another_organization_deletes_nothing(
    browser: Client, keys: list[ApiKey], foreigner: Issued, there: str, text: str
) -> None:
    other = foreigner.key.public_id if text == "theirs" else text
    chosen = {"key": [keys[0].public_id, other]}
    missing = browser.get(there, {"key": never("key")})

    with nothing_written():
        answers = [browser.get(there, chosen), browser.post(there, {**chosen, "cascade": "on"})]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert {_same_for_all(answer) for answer in answers} == {_same_for_all(missing)}


def test_an_outsider_deletes_nothing(
    outsider: User, globex: Organization, keys: list[ApiKey]
) -> None:
    browser, there = sign_in(outsider), developer(globex, DELETE)

    with nothing_written():
        answer = browser.post(there, _ids(*keys))

    assert answer.status_code == 404


def test_queries_do_not_grow_with_the_keys(
    browser: Client, acme: Organization, admin: User, maker: Issued, there: str
) -> None:
    _create_in_bulk(acme, admin, maker, 60)
    bulk = list(ApiKey.objects.filter(name__startswith="Bulk"))

    def count(ask: Callable[..., Any], keys: list[ApiKey]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert ask(there, _ids(*keys)).status_code in (200, 303)
        return len(queries)

    assert count(browser.get, bulk[:2]) == count(browser.get, bulk[:30])
    assert count(browser.post, bulk[:2]) == count(browser.post, bulk[2:40])

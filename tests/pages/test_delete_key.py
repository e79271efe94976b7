"""Deleting and disabling keys on the pages."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core import transactions
from organizations.models import Organization
from organizations.services import set_api_access
from tests.factories import PASSWORD, SYSTEM
from tests.pages.support import developer, grow_stale, html, submission_of


@pytest.fixture
def issued(make_key: Callable[..., Issued]) -> Issued:
    return make_key(name="Production", scopes=["search:read"])


@pytest.fixture
def page(acme: Organization, issued: Issued) -> Callable[[str], str]:
    def address(rest: str) -> str:
        return developer(acme, f"keys/{issued.key.public_id}/{rest}")

    return address


Page = Callable[[str], str]


def _used(key: ApiKey, ago: timedelta) -> None:
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now() - ago)


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text.replace("&#x27;", "'")


def test_deleting_is_effective_at_once(
    browser: Client, page: Page, issued: Issued, acme: Organization
) -> None:
    asked = _text(browser.get(page("delete/")))
    answer = browser.post(page("delete/"), follow=True)

    assert "Never used" in asked
    assert issued.key.key_prefix in asked
    assert "Type “Production”" not in asked
    assert "Key Production deleted. Requests with it now get 401." in _text(answer)
    assert verify(issued.secret).refusal is Refusal.REVOKED
    assert not answer.context["rows"]


def test_a_key_is_deleted_while_api_access_is_off(
    browser: Client, page: Page, issued: Issued, acme: Organization
) -> None:
    """The list offers nothing then, but what is known to be lost has to be ended all the same."""
    set_api_access(acme, enabled=False, actor=SYSTEM)

    assert browser.get(page("delete/")).status_code == 200
    browser.post(page("delete/"))
    set_api_access(acme, enabled=True, actor=SYSTEM)

    assert verify(issued.secret).refusal is Refusal.REVOKED


def test_deleting_twice_says_so(browser: Client, page: Page, issued: Issued) -> None:
    browser.post(page("delete/"))

    again = browser.post(page("delete/"))

    assert again.status_code == 409
    assert "This key was already deleted." in _text(again)


def test_a_key_in_use_is_deleted_by_name(browser: Client, page: Page, issued: Issued) -> None:
    _used(issued.key, timedelta(days=2))

    asked = _text(browser.get(page("delete/")))
    wrong = browser.post(page("delete/"), {"typed": "production"})
    kept = verify(issued.secret).refusal
    right = browser.post(page("delete/"), {"typed": " Production "})

    assert "Something still uses this key." in asked
    assert "Type “Production” to confirm" in asked
    assert "2 days ago" in asked.replace("\xa0", " ")
    assert wrong.status_code == 422
    assert "That doesn't match the key's name." in _text(wrong)
    assert kept is None
    assert right.status_code == 303
    assert verify(issued.secret).refusal is Refusal.REVOKED


def test_enter_in_the_name_does_not_press_disable_instead(
    browser: Client, page: Page, issued: Issued
) -> None:
    """Enter presses the first button that sends the form of the field."""
    _used(issued.key, timedelta(hours=1))

    form = _text(browser.get(page("delete/"))).partition("data-alert>")[2].partition("</form>")[0]

    buttons = re.findall(r"<button[^>]*>", form)
    own = [button for button in buttons if 'type="button"' not in button and "form=" not in button]
    assert own == ['<button class="button danger" data-submit>']
    assert any('form="disable-instead"' in button for button in buttons)


def test_disabling_instead_needs_no_name_and_can_be_undone(
    browser: Client, page: Page, issued: Issued
) -> None:
    _used(issued.key, timedelta(hours=1))

    browser.post(page("delete/"), {"instead": "disable"})
    disabled = verify(issued.secret).refusal
    banner = _text(browser.get(page("")))
    browser.post(page("switch/"), {"enabled": "yes"})

    assert disabled is Refusal.DISABLED
    assert "This key is disabled." in banner
    assert verify(issued.secret).refusal is None


@pytest.mark.parametrize(
    ("rest", "fields"),
    [("delete/", {}), ("switch/", {"enabled": "yes"}), ("rotate/", {"grace": "0"})],
)
def test_an_old_sign_in_is_confirmed_first(
    browser: Client, page: Page, issued: Issued, rest: str, fields: dict[str, str]
) -> None:
    if rest == "rotate/":
        fields = {**fields, "submission": submission_of(browser.get(page(rest)))}
    grow_stale(browser)

    asked = browser.post(page(rest), fields)
    untouched = verify(issued.secret).refusal
    done = browser.post(
        page(rest), {**dict(asked.context["carried"]), "confirm_password": PASSWORD}
    )

    assert asked.status_code == 422
    assert untouched is None
    assert done.status_code in (201, 303)

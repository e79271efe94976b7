"""At the key limit, the button and the form say why no key is created."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization, User
from organizations.services import set_api_access, set_key_limit
from tests.factories import SYSTEM
from tests.pages.support import add_many_keys, developer, html, sign_in, submission_of, told
from tests.pages.test_key_list import LIST_QUERIES
from tests.support.domain import nothing_written

AT_TWO = "This organization has reached its limit of 2 keys. Delete one to create another."
BUTTON = re.compile(r"<a (class=\"button primary\"[^>]*)>(?:(?!</a>).)*Create API key</a>", re.S)
IN_DIALOG = {"X-Dialog": "1"}


@pytest.fixture
def full(acme: Organization, make_key: Callable[..., Issued]) -> Issued:
    """One of two keys that Acme has and may have."""
    make_key(name="First")
    set_key_limit(acme, limit=2, actor=SYSTEM)
    return make_key(name="Second")


@pytest.fixture
def create(acme: Organization) -> str:
    return developer(acme, "keys/create/")


def _text(answer: Any) -> str:
    text: str = html(answer)
    return text


def _lasting(answer: Any) -> str:
    """What a page says, but for what differs from request to request."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", _text(answer)).replace(
        answer["X-Request-Id"], ""
    )


def _button(text: str) -> str:
    """The attributes of the one button that creates keys."""
    (attributes,) = BUTTON.findall(text)
    return str(attributes)


def test_the_button_stays_focusable_and_says_why_it_does_nothing(
    browser: Client, acme: Organization, full: Issued
) -> None:
    text = _text(browser.get(developer(acme)))

    button = _button(text)
    for attribute in ('role="link"', 'tabindex="0"', 'aria-disabled="true"'):
        assert attribute in button
    assert 'aria-describedby="exhausted"' in button
    assert "href" not in button
    assert "data-dialog" not in button
    assert f'<p id="exhausted">{AT_TWO}</p>' in text
    assert developer(acme, "test/") in text


@pytest.mark.parametrize("own", [None, 0, 3])
def test_below_the_limit_it_is_what_it_was(
    browser: Client, acme: Organization, full: Issued, own: int | None
) -> None:
    set_key_limit(acme, limit=own, actor=SYSTEM)

    text = _text(browser.get(developer(acme)))

    assert developer(acme, "keys/create/") in _button(text)
    assert "aria-disabled" not in text
    assert "limit of" not in text


def test_a_deleted_key_gives_the_button_back(
    browser: Client, acme: Organization, full: Issued
) -> None:
    browser.post(developer(acme, f"keys/{full.key.public_id}/delete/"))

    assert developer(acme, "keys/create/") in _button(_text(browser.get(developer(acme))))


def test_while_api_access_is_off_nothing_is_said_of_it(
    browser: Client, acme: Organization, full: Issued
) -> None:
    set_api_access(acme, enabled=False, actor=SYSTEM)

    assert "limit of" not in _text(browser.get(developer(acme)))


@pytest.mark.parametrize("headers", [{}, IN_DIALOG], ids=["page", "dialog"])
def test_the_address_of_the_form_says_why_in_its_place(
    browser: Client, create: str, full: Issued, headers: dict[str, str]
) -> None:
    answer = browser.get(create, headers=headers)

    text = _text(answer)
    assert answer.status_code == 200
    assert "Create API key" in text
    assert AT_TWO in text
    assert "Back to keys" in text
    assert 'name="submission"' not in text


@pytest.mark.parametrize("headers", [{}, IN_DIALOG], ids=["page", "dialog"])
def test_a_form_that_was_opened_before_comes_back_and_can_be_sent_later(
    browser: Client, acme: Organization, create: str, full: Issued, headers: dict[str, str]
) -> None:
    set_key_limit(acme, limit=None, actor=SYSTEM)
    sent = {"submission": submission_of(browser.get(create)), "name": "Third", "description": "Why"}
    set_key_limit(acme, limit=2, actor=SYSTEM)

    with nothing_written():
        refused = browser.post(create, sent, headers=headers)
    browser.post(developer(acme, f"keys/{full.key.public_id}/delete/"))
    made = browser.post(create, sent, headers=headers)

    text = _text(refused)
    assert refused.status_code == 422
    assert refused.context["form"].errors == {"__all__": [AT_TWO]}
    assert AT_TWO in text.split('role="alert"')[1]
    assert 'value="Third"' in text
    assert "Why" in text
    assert made.status_code == 201
    assert ApiKey.objects.unrevoked().count() == 2


def test_a_form_that_is_sent_again_at_the_limit_says_that_its_key_is_there(
    browser: Client, acme: Organization, create: str, make_key: Callable[..., Issued]
) -> None:
    make_key(name="First")
    set_key_limit(acme, limit=2, actor=SYSTEM)
    sent = {"submission": submission_of(browser.get(create)), "name": "Second"}

    first = browser.post(create, sent)
    with nothing_written():
        again = browser.post(create, sent)

    assert (first.status_code, again.status_code) == (201, 409)
    assert "This key was already created" in _text(again)


def test_members_and_outsiders_see_what_they_saw_before(
    acme: Organization, create: str, member: User, outsider: User, make_key: Callable[..., Issued]
) -> None:
    make_key()
    browsers = [sign_in(member), sign_in(outsider)]

    def told() -> list[tuple[int, str]]:
        answers = [
            answer
            for browser in browsers
            for address in (developer(acme), create, developer(acme, "access/"))
            for answer in (browser.get(address), browser.post(create, {"name": "Mine"}))
        ]
        return [(a.status_code, _lasting(a)) for a in answers]

    before = told()
    set_key_limit(acme, limit=1, actor=SYSTEM)

    assert told() == before
    assert [status for status, _ in before] == [403] * 6 + [404] * 6


@pytest.mark.parametrize("count", [1, 30, 1_500])
def test_the_list_asks_one_thing_more_however_many_keys_there_are(
    browser: Client, acme: Organization, admin: User, settings: Settings, count: int
) -> None:
    settings.KEYS_PER_ORGANIZATION = 1_000
    add_many_keys(acme, admin, count)

    with CaptureQueriesContext(connection) as queries:
        browser.get(developer(acme))

    assert len(queries) == LIST_QUERIES + 1, [q["sql"][:120] for q in queries]


@pytest.mark.parametrize(
    ("limit", "said"),
    [(1_500, "<b>1</b> of 1,500"), (1, "<b>1</b> of 1"), (0, "<b>1</b>, unlimited")],
)
def test_access_says_how_many_there_can_be(
    browser: Client, acme: Organization, make_key: Callable[..., Issued], limit: int, said: str
) -> None:
    make_key()
    set_key_limit(acme, limit=limit, actor=SYSTEM)

    text = _text(browser.get(developer(acme, "access/")))

    assert said in text
    assert "Contact support to change these." in text
    assert ('class="bar full"' in text, 'class="bar"' in text) == (limit == 1, limit == 1_500)


def test_the_trail_tells_of_a_changed_limit(browser: Client, acme: Organization) -> None:
    for limit in (1_500, 0, None):
        set_key_limit(acme, limit=limit, actor=SYSTEM)

    lines = told(browser.get(developer(acme, "activity/?kind=organization")))

    assert [line.partition(" changed ")[2] for line in lines[:3]] == [
        "the key limit – From unlimited to the default",
        "the key limit – From 1,500 to unlimited",
        "the key limit – From the default to 1,500",
    ]

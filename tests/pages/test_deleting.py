"""Deleting, disabling, rotating and editing on the pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apikeys import services, verification
from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.verification import Refusal
from organizations import writes
from organizations.actors import Actor
from organizations.models import Organization
from tests.factories import PASSWORD
from tests.pages.support import developer, grow_stale, secret_in, submission_of


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
    with writes.allowed():
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=timezone.now() - ago)


def _text(answer: Any) -> str:
    text: str = answer.content.decode()
    return text.replace("&#x27;", "'")


def test_deleting_is_effective_at_once(
    browser: Client, page: Page, issued: Issued, acme: Organization
) -> None:
    asked = _text(browser.get(page("delete/")))
    answer = browser.post(page("delete/"), follow=True)

    assert "Never used" in asked
    assert issued.key.key_prefix in asked
    assert "Type Production" not in asked
    assert "Key Production deleted. Requests using it now get 401." in _text(answer)
    assert verification.verify(issued.secret).refusal is Refusal.REVOKED
    assert not answer.context["rows"]


def test_deleting_twice_says_so(browser: Client, page: Page, issued: Issued) -> None:
    browser.post(page("delete/"))

    again = browser.post(page("delete/"))

    assert again.status_code == 409
    assert "This key was already deleted." in _text(again)


def test_a_key_in_use_is_deleted_by_name(browser: Client, page: Page, issued: Issued) -> None:
    _used(issued.key, timedelta(days=2))

    asked = _text(browser.get(page("delete/")))
    wrong = browser.post(page("delete/"), {"typed": "production"})
    kept = verification.verify(issued.secret).refusal
    right = browser.post(page("delete/"), {"typed": " Production "})

    assert "2 days ago" in asked.replace("\xa0", " ")
    assert wrong.status_code == 422
    assert "That doesn't match the key's name." in _text(wrong)
    assert kept is None
    assert right.status_code == 303
    assert verification.verify(issued.secret).refusal is Refusal.REVOKED


def test_disabling_instead_needs_no_name_and_can_be_undone(
    browser: Client, page: Page, issued: Issued
) -> None:
    _used(issued.key, timedelta(hours=1))

    browser.post(page("delete/"), {"instead": "disable"})
    disabled = verification.verify(issued.secret).refusal
    banner = _text(browser.get(page("")))
    browser.post(page("switch/"), {"enabled": "yes"})

    assert disabled is Refusal.DISABLED
    assert "This key is disabled." in banner
    assert verification.verify(issued.secret).refusal is None


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
    untouched = verification.verify(issued.secret).refusal
    done = browser.post(
        page(rest), {**dict(asked.context["carried"]), "confirm_password": PASSWORD}
    )

    assert asked.status_code == 422
    assert untouched is None
    assert done.status_code in (201, 303)


@pytest.mark.parametrize(
    ("grace", "works"), [("0", False), ("3600", True), ("86400", True), ("604800", True)]
)
def test_rotating_with_an_overlap(
    browser: Client, page: Page, issued: Issued, grace: str, works: bool
) -> None:
    fields = {"grace": grace, "submission": submission_of(browser.get(page("rotate/")))}

    answer = browser.post(page("rotate/"), fields)
    again = browser.post(page("rotate/"), fields)

    new = secret_in(answer)
    assert answer.status_code == 201
    assert ("The old secret works until" in _text(answer)) is works
    assert ("The old secret has stopped working." in _text(answer)) is not works
    assert verification.verify(new).refusal is None
    assert (verification.verify(issued.secret).refusal is None) is works
    assert again.status_code == 409
    assert new not in _text(again)
    assert issued.key.secrets.count() == 2


def test_a_second_rotation_ends_the_overlap(
    browser: Client, page: Page, issued: Issued, as_admin: Actor
) -> None:
    services.rotate_api_key(issued.key, actor=as_admin)

    asked = browser.get(page("rotate/"))
    fields = {"grace": "3600", "submission": submission_of(asked), "force": "yes"}
    unforced = browser.post(page("rotate/"), {**fields, "force": ""})
    forced = browser.post(page("rotate/"), fields)

    assert "A rotation is already under way" in _text(asked)
    assert unforced.status_code == 422
    assert forced.status_code == 201
    assert verification.verify(issued.secret).refusal is Refusal.ROTATED


def test_editing(browser: Client, page: Page, issued: Issued) -> None:
    form = browser.get(page("edit/")).context["form"].initial
    fields = {
        "seen": form["seen"],
        "name": "Renamed",
        "description": "For the shop",
        "scopes": ["events:read"],
        "expires_at": "",
    }

    answer = browser.post(page("edit/"), fields)

    key = ApiKey.objects.get()
    assert answer.status_code == 303
    assert (key.name, key.description, key.scopes) == ("Renamed", "For the shop", ["events:read"])


def test_two_who_edit_at_once_see_each_other(
    browser: Client, page: Page, issued: Issued, as_admin: Actor
) -> None:
    seen = browser.get(page("edit/")).context["form"].initial["seen"]
    services.update_api_key(issued.key, actor=as_admin, changes={"name": "Theirs"})
    mine = {"seen": seen, "name": "Mine", "scopes": ["search:read"], "expires_at": ""}

    refused = browser.post(page("edit/"), mine)
    kept = ApiKey.objects.get().name
    fresh = refused.context["form"].data["seen"]
    saved = browser.post(page("edit/"), {**mine, "seen": fresh})

    assert refused.status_code == 422
    assert "Someone changed this key while you were editing." in _text(refused)
    assert "Theirs" in _text(refused)
    assert 'value="Mine"' in _text(refused)
    assert kept == "Theirs"
    assert saved.status_code == 303
    assert ApiKey.objects.get().name == "Mine"


def test_an_expiry_that_is_not_touched_stays_to_the_microsecond(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    end = timezone.now() + timedelta(days=9, seconds=7)
    key = make_key(name="Ends", expires_at=end).key
    address = developer(acme, f"keys/{key.public_id}/edit/")
    shown = browser.get(address).context["form"]
    fields = {"seen": shown.initial["seen"], "name": "Ends", "scopes": key.scopes}

    browser.post(address, {**fields, "expires_at": f"{end:%Y-%m-%dT%H:%M}", "description": "x"})

    key.refresh_from_db()
    assert key.description == "x"
    assert key.expires_at == end

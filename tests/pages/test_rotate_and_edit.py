"""Rotating and editing keys on the pages."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core import transactions
from core.actors import Actor
from core.timestamps import stamp
from organizations.models import Organization, User
from organizations.roles import Role
from tests.factories import PASSWORD, MembershipFactory, UserFactory
from tests.pages.support import developer, grow_stale, secret_in, sign_in, submission_of
from tests.support.domain import ORIGIN, nothing_written
from tests.support.last_used import note_use

Page = Callable[[str], str]


@pytest.fixture
def issued(make_key: Callable[..., Issued]) -> Issued:
    return make_key(name="Production", scopes=["search:read"])


@pytest.fixture
def page(acme: Organization, issued: Issued) -> Page:
    def address(rest: str) -> str:
        return developer(acme, f"keys/{issued.key.public_id}/{rest}")

    return address


def _text(answer: Any) -> str:
    """The page without the elements of times."""
    text: str = re.sub("</?time[^>]*>", "", answer.content.decode())
    return " ".join(text.replace("&#x27;", "'").split())


def _use(secret: str) -> None:
    found = verify(secret).found
    assert found
    note_use(found, secret, ORIGIN)


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
    assert verify(new).refusal is None
    assert (verify(issued.secret).refusal is None) is works
    assert again.status_code == 409
    assert new not in _text(again)
    assert issued.key.secrets.count() == 2


def test_each_choice_says_until_when(
    browser: Client, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    now = timezone.now()
    key = make_key(name="Ends", expires_at=now + timedelta(days=3)).key

    form = browser.get(developer(acme, f"keys/{key.public_id}/rotate/")).context["form"]

    choices = dict(form.fields["grace"].choices)
    assert form["grace"].value() == "86400"
    assert choices["3600"].help[:17] == f"Until {stamp(now + timedelta(hours=1))}."[:17]
    assert choices["604800"].help == f"Until {stamp(now + timedelta(days=3))}.", "as the key does"
    assert [value for value, option in choices.items() if option.is_risky] == ["0"]


def test_what_was_chosen_survives_a_canceled_confirmation(
    browser: Client, page: Page, issued: Issued
) -> None:
    fields = {"grace": "3600", "submission": submission_of(browser.get(page("rotate/")))}
    grow_stale(browser)
    carried = dict(browser.post(page("rotate/"), fields).context["carried"])

    with nothing_written():
        back = browser.post(page("rotate/"), {**carried, "step_back": "yes"})

    assert back.status_code == 200
    assert back.context["form"]["grace"].value() == "3600"


def test_the_old_secrets_use_stands_above_the_choices(
    browser: Client, page: Page, issued: Issued
) -> None:
    assert "Never used" in _text(browser.get(page("rotate/")))

    _use(issued.secret)

    assert f"Just now, from {ORIGIN.ip}" in _text(browser.get(page("rotate/")))


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
    assert verify(issued.secret).refusal is Refusal.ROTATED


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


@pytest.fixture
def colleague(acme: Organization) -> Actor:
    """Another admin."""
    user = UserFactory.create(name="Cora Colleague")
    MembershipFactory.create(organization=acme, user=user, role=Role.ADMIN)
    return Actor.person(user.id, str(user))


def test_two_who_edit_at_once_see_each_other(
    browser: Client, page: Page, issued: Issued, colleague: Actor
) -> None:
    seen = browser.get(page("edit/")).context["form"].initial["seen"]
    services.update_api_key(issued.key, actor=colleague, changes={"name": "Theirs"})
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


def test_ones_own_change_in_another_tab_is_not_someone_elses(
    browser: Client, page: Page, issued: Issued, colleague: Actor, as_admin: Actor
) -> None:
    services.update_api_key(issued.key, actor=colleague, changes={"description": "Theirs"})
    seen = browser.get(page("edit/")).context["form"].initial["seen"]
    services.update_api_key(issued.key, actor=as_admin, changes={"name": "Mine"})

    refused = browser.post(page("edit/"), {"seen": seen, "name": "X", "scopes": ["search:read"]})

    assert refused.status_code == 422
    assert "You changed this key in another tab while you were editing." in _text(refused)
    assert "Someone changed" not in _text(refused)


# --- One field, in its row of the key's page ---


def _form_of(page: Page, browser: Client, name: str) -> dict[str, str]:
    """The hidden field of the row that edits `name`."""
    response = browser.get(page(f"?edit={name}"))
    form = response.context["form"]
    assert list(form.fields) == [name, "seen"] or list(form.fields) == ["seen", name]
    return {"seen": form.initial["seen"]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", "Renamed"),
        ("description", "For the shop"),
        ("scopes", ["search:read", "events:read"]),
        ("expires_at", f"{timezone.now() + timedelta(days=30):%Y-%m-%dT%H:%M}"),
    ],
)
def test_editing_one_field_leaves_the_others(
    browser: Client, page: Page, issued: Issued, name: str, value: Any
) -> None:
    fields = ("name", "description", "scopes", "expires_at")
    before = {field: getattr(issued.key, field) for field in fields}

    response = browser.post(
        page(f"edit/?field={name}"), {**_form_of(page, browser, name), name: value}
    )

    after = ApiKey.objects.values(*fields).get()
    assert response.status_code == 303
    assert response["Location"] == page("")
    assert after.pop(name) != before.pop(name)
    assert after == before


def test_a_row_is_edited_in_its_place(browser: Client, page: Page, issued: Issued) -> None:
    text = _text(browser.get(page("?edit=description")))

    assert 'data-edit-form="description"' in text
    assert f'action="{page("edit/")}?field=description"' in text
    assert 'aria-label="Edit name"' in text
    assert 'aria-label="Edit description"' not in text


@pytest.mark.parametrize("name", ["seen", "environment", "nothing", ""])
def test_what_cannot_be_edited_has_no_row_to_edit(browser: Client, page: Page, name: str) -> None:
    response = browser.get(page(f"?edit={name}"))

    assert response.status_code == 200
    assert "data-edit-form" not in _text(response)


def test_an_unknown_field_edits_all(browser: Client, page: Page) -> None:
    response = browser.get(page("edit/?field=nothing"))

    assert {"name", "description", "scopes", "expires_at"} < set(response.context["form"].fields)
    assert "data-edit-form" not in _text(response)


def test_a_row_says_what_is_wrong_with_it(browser: Client, page: Page, issued: Issued) -> None:
    sent = {**_form_of(page, browser, "name"), "name": ""}

    with nothing_written():
        response = browser.post(page("edit/?field=name"), sent)

    assert response.status_code == 422
    assert "Enter a name for the key." in _text(response)
    assert 'data-edit-form="name"' in _text(response)


def test_a_row_shows_the_version_that_came_first(
    browser: Client, page: Page, issued: Issued, colleague: Actor
) -> None:
    sent = {**_form_of(page, browser, "name"), "name": "Mine"}
    services.update_api_key(issued.key, actor=colleague, changes={"name": "Theirs"})

    refused = browser.post(page("edit/?field=name"), sent)
    again = refused.context["form"].data["seen"]
    saved = browser.post(page("edit/?field=name"), {"seen": again, "name": "Mine"})

    text = _text(refused)
    assert refused.status_code == 422
    assert "Someone changed this key while you were editing." in text
    assert '<span class="quiet">Name:</span> Theirs' in text
    assert 'value="Mine"' in text
    assert saved.status_code == 303
    assert ApiKey.objects.get().name == "Mine"


def test_a_deleted_key_is_not_edited_in_its_row(
    browser: Client, page: Page, issued: Issued, as_admin: Actor
) -> None:
    sent = {**_form_of(page, browser, "description"), "description": "x"}
    services.revoke_api_key(issued.key, actor=as_admin)

    with nothing_written():
        refused = browser.post(page("edit/?field=description"), sent)
    shown = browser.get(page("?edit=description"))

    assert refused.status_code == 409
    assert "This key was already deleted." in _text(refused)
    assert "data-edit-form" not in _text(shown)
    assert "Edit description" not in _text(shown)


def test_a_row_that_gives_more_asks_for_the_password(browser: Client, page: Page) -> None:
    sent = {**_form_of(page, browser, "scopes"), "scopes": ["search:read", "events:read"]}
    grow_stale(browser)

    asked = browser.post(page("edit/?field=scopes"), sent)
    kept = ApiKey.objects.get().scopes
    confirmed = browser.post(
        page("edit/?field=scopes"), {**sent, "confirm_password": PASSWORD}, follow=False
    )

    assert asked.status_code == 422
    assert f'action="{page("edit/")}?field=scopes"' in _text(asked)
    assert kept == ["search:read"]
    assert confirmed.status_code == 303
    assert ApiKey.objects.get().scopes == ["search:read", "events:read"]


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


@pytest.mark.parametrize(
    ("used", "words"),
    [
        ("never", "It was never used."),
        ("before", "It has not been used since the rotation."),
        ("since", "It was last used just now, so something still depends on it."),
    ],
)
def test_while_a_rotation_runs_the_old_secrets_own_use_is_told(
    browser: Client, page: Page, issued: Issued, as_admin: Actor, used: str, words: str
) -> None:
    if used == "before":
        _use(issued.secret)
    new = services.rotate_api_key(issued.key, actor=as_admin)
    _use(new.secret)
    if used == "since":
        _use(issued.secret)

    assert words in _text(browser.get(page("")))
    assert words in _text(browser.get(page("rotate/")))


def _end(key: ApiKey) -> None:
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(days=1))


def test_an_expired_key_gets_no_secret(browser: Client, page: Page, issued: Issued) -> None:
    fields = {"grace": "3600", "submission": submission_of(browser.get(page("rotate/")))}
    _end(issued.key)

    with nothing_written():
        answer = browser.post(page("rotate/"), fields)

    assert answer.status_code == 422
    assert "This key has expired. Create a new one instead." in _text(answer)


@pytest.mark.parametrize("path", ["edit/", "edit/?field=name", "rotate/", "switch/", "delete/"])
def test_each_page_about_a_deleted_key_says_so(
    browser: Client, page: Page, issued: Issued, as_admin: Actor, path: str
) -> None:
    fields = {"name": "Back", "grace": "3600", "enabled": "no", "instead": "disable"}
    if path == "rotate/":
        fields["submission"] = submission_of(browser.get(page(path)))
    services.revoke_api_key(issued.key, actor=as_admin)

    with nothing_written():
        shown, sent = browser.get(page(path)), browser.post(page(path), fields)

    assert (shown.status_code, sent.status_code) == (200, 409)
    for answer in (shown, sent):
        assert "This key was already deleted. Requests with it get 401." in _text(answer)
        assert "data-submit" not in _text(answer)
        assert "data-edit-form" not in _text(answer)


def test_a_deleted_key_of_others_is_not_found(
    page: Page, issued: Issued, as_admin: Actor, outsider: User
) -> None:
    services.revoke_api_key(issued.key, actor=as_admin)
    client = sign_in(outsider)

    for path in ("edit/", "rotate/", "switch/", "delete/"):
        for answer in (client.get(page(path)), client.post(page(path))):
            assert answer.status_code == 404
            assert "deleted. Requests" not in _text(answer)


def test_an_expired_key_is_switched_and_stays_expired(
    browser: Client, page: Page, issued: Issued
) -> None:
    _end(issued.key)

    browser.post(page("switch/"), {"enabled": "no"})
    browser.post(page("switch/"), {"enabled": "yes"})

    assert verify(issued.secret).refusal is Refusal.EXPIRED


def test_a_name_that_another_key_has_is_refused_on_its_field(
    browser: Client, page: Page, issued: Issued, make_key: Callable[..., Issued]
) -> None:
    make_key(name="Staging")

    with nothing_written():
        answer = browser.post(page("edit/"), {"name": "STAGING", "scopes": ["search:read"]})

    assert answer.status_code == 422
    assert answer.context["form"].errors == {
        "name": ["A key named “STAGING” already exists. Choose another name."]
    }


def test_nobody_edits_what_stays(browser: Client, page: Page, issued: Issued) -> None:
    fixed = {"environment": "test", "organization": "org_1", "created_by": "", "revoked_at": "now"}

    browser.post(page("edit/"), {"name": "Renamed", "scopes": ["search:read"], **fixed})

    key = ApiKey.objects.get()
    before = issued.key
    assert key.name == "Renamed"
    assert (key.environment, key.organization_id) == (before.environment, before.organization_id)
    assert (key.created_by_id, key.revoked_at) == (before.created_by_id, None)

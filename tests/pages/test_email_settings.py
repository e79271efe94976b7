"""People choose which emails they get, on a page or by the link in an email."""

from typing import Final

import pytest
from django.test import Client

from core.actors import Actor
from core.exceptions import Forbidden, Invalid
from organizations import services
from organizations.email_kinds import every_kind
from organizations.models import AuditEvent, Organization, User
from tests.pages.support import html, sign_in
from tests.support.domain import nothing_written, person

PAGE: Final = "/accounts/notifications/"
NAMES: Final = ["key_created", "key_rotated", "key_deleted", "retired_secret_used"]


def _muted(user: User) -> list[str]:
    muted: list[str] = User.objects.get(pk=user.pk).muted_emails
    return muted


def _checked(client: Client) -> list[str]:
    page = html(client.get(PAGE))
    return [name for name in NAMES if f'name="kinds" value="{name}" checked' in page]


def test_all_kinds_are_on_at_first(browser: Client) -> None:
    assert [kind.name for kind in every_kind()] == NAMES
    assert _checked(browser) == NAMES


def test_what_is_not_checked_is_off(browser: Client, admin: User, member: User) -> None:
    saved = browser.post(PAGE, {"kinds": ["key_deleted", "key_rotated"]}, follow=True)

    assert saved.redirect_chain == [(PAGE, 303)]
    assert "Changes saved." in html(saved)
    assert _checked(browser) == ["key_rotated", "key_deleted"]
    assert _muted(admin) == ["key_created", "retired_secret_used"]
    assert _muted(member) == []
    event = AuditEvent.objects.get(event="person.emails_chosen")
    assert (event.actor_id, event.target_id) == (admin.pk, admin.pk)
    assert event.details == {"emails_off": ["key_created", "retired_secret_used"]}


def test_all_can_be_turned_off_and_on_again(browser: Client, admin: User) -> None:
    browser.post(PAGE)
    assert _muted(admin) == sorted(NAMES)

    browser.post(PAGE, {"kinds": NAMES})
    assert _muted(admin) == []


def test_saving_what_is_so_already_is_no_event(browser: Client) -> None:
    with nothing_written():
        browser.post(PAGE, {"kinds": NAMES})


def test_an_unknown_kind_is_refused(browser: Client, admin: User) -> None:
    answer = browser.post(PAGE, {"kinds": ["key_created", "password"]})

    assert answer.status_code == 422
    assert "Choose from the list." in html(answer)
    assert _muted(admin) == []
    with pytest.raises(Invalid, match="Choose from: key_created,"):
        services.choose_emails(admin, kinds=["password"], actor=person(admin))


def test_others_emails_are_theirs(admin: User, member: User, acme: Organization) -> None:
    kind = every_kind()[0]
    with nothing_written(), pytest.raises(Forbidden):
        services.choose_emails(member, kinds=[], actor=person(admin))
    with nothing_written(), pytest.raises(Forbidden):
        services.turn_off_emails(member, kind=kind, actor=person(admin))


def _link(user: User, name: str = "key_created") -> str:
    (kind,) = [kind for kind in every_kind() if kind.name == name]
    return f"{PAGE}off/{services.unsubscribe_token(user.pk, kind)}/"


def test_the_link_asks_first_and_needs_no_sign_in(acme: Organization, admin: User) -> None:
    visitor = Client(enforce_csrf_checks=True)

    asked = visitor.get(_link(admin))
    assert "You get emails of the kind “API key created”." in html(asked)
    assert admin.email not in html(asked)
    assert _muted(admin) == []

    done = visitor.post(_link(admin))
    assert "You won't get emails of the kind “API key created” any more." in html(done)
    assert _muted(admin) == ["key_created"]
    event = AuditEvent.objects.get(event="person.emails_chosen")
    assert (event.actor_kind, event.actor_id) == ("person", admin.pk)
    assert (event.actor_label, event.ip) == ("Ada Acme", "127.0.0.1")
    assert event.details == {"emails_off": ["key_created"], "by": "email link"}


def test_the_link_turns_off_one_kind_and_twice_is_once(acme: Organization, admin: User) -> None:
    sign_in(admin).post(PAGE, {"kinds": ["key_created", "key_deleted"]})

    for _ in range(2):
        assert Client().post(_link(admin)).status_code == 200

    assert _muted(admin) == ["key_created", "key_rotated", "retired_secret_used"]
    assert AuditEvent.objects.filter(event="person.emails_chosen").count() == 2


@pytest.mark.parametrize("kind", ["forged", "another's", "empty"])
def test_a_forged_link_is_not_found(acme: Organization, admin: User, kind: str) -> None:
    link = _link(admin)
    paths = {
        "forged": f"{link[:-3]}xx/",
        "another's": link.replace(":", "x:", 1),
        "empty": f"{PAGE}off/x/",
    }

    assert Client().get(paths[kind]).status_code == 404
    assert Client().post(paths[kind]).status_code == 404
    assert _muted(admin) == []


def test_the_link_of_a_former_person_is_not_found(acme: Organization, admin: User) -> None:
    link = _link(admin)
    admin.is_active = False
    admin.save()

    assert Client().post(link).status_code == 404


def test_the_choice_is_exported_and_forgotten(
    acme: Organization, admin: User, outsider: User, staff: User
) -> None:
    services.choose_emails(outsider, kinds=NAMES[:3], actor=person(outsider))
    as_staff = Actor.staff(staff.pk, str(staff))

    outsider.refresh_from_db()
    data = services.export_personal_data(outsider, actor=as_staff)
    assert data["profile"]["emails_off"] == ["retired_secret_used"]

    services.forget_person(outsider, actor=as_staff)
    assert _muted(outsider) == []

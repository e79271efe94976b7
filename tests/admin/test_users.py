"""Users in the staff admin: none are deleted, and staff can't gain power over other staff."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from organizations.models import AuditEvent, User
from tests.admin.conftest import BrowserOf
from tests.admin.support import act, change, everything, only_event, page, text
from tests.factories import PASSWORD, UserFactory
from tests.support.domain import SECRET

ADD = "/admin/organizations/user/add/"
NEW_PASSWORD = "tr0ub4dor and a horse"
PASSWORDS = {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}


@pytest.fixture
def person(db: None) -> User:
    return UserFactory.create(email="pat@acme.example", name="Pat")


def sent(user: User, **changes: Any) -> dict[str, Any]:
    given = {"email": user.email, "name": user.name, "is_active": "on"}
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def password_page(user: User) -> str:
    return f"/admin/organizations/user/{user.pk}/password/"


def test_a_person_is_added(browser: Client, staff: User) -> None:
    browser.post(ADD, {"email": "New@Acme.Example", "name": "New", **PASSWORDS})

    made = User.objects.get(email="new@acme.example")
    assert not made.has_usable_password()
    assert only_event("person.created", staff).target_id == made.pk


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "PAT@acme.example"), ("email", "nobody"), ("name", "\u202etxt"), ("name", "\u3164")],
)
def test_a_refused_person_comes_back_on_the_form(
    browser: Client, person: User, field: str, value: str
) -> None:
    before = everything()

    response = browser.post(ADD, {"email": "new@acme.example", field: value})

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert everything() == before


def test_a_person_is_changed(browser: Client, staff: User, person: User) -> None:
    browser.post(change(person), sent(person, name="Patricia", email="P@acme.example"))

    person.refresh_from_db()
    assert (person.name, person.email) == ("Patricia", "p@acme.example")
    assert only_event("person.updated", staff).details == {
        "fields": ["email", "name"],
        "email": ["pat@acme.example", "p@acme.example"],
        "name": ["Pat", "Patricia"],
    }


def test_a_name_may_be_left_out(browser: Client, person: User) -> None:
    browser.post(change(person), sent(person, name=""))

    assert User.objects.get(pk=person.pk).name == ""


def test_a_person_is_deactivated(browser: Client, staff: User, person: User) -> None:
    browser.post(change(person), sent(person, is_active=None))

    assert not User.objects.get(pk=person.pk).is_active
    only_event("person.updated", staff)


def test_nobody_is_deleted(browser: Client, person: User) -> None:
    before = everything()

    assert browser.post(page(person, "delete"), {"post": "yes"}).status_code == 403
    act(browser, "delete_selected", person, post="yes")

    assert everything() == before


def test_nobody_sets_the_password_of_another(browser: Client, person: User) -> None:
    shown = text(browser.get(change(person)))
    for address in (password_page(person), change(person)):
        browser.post(address, {**PASSWORDS, **sent(person), "password": "plain"}, follow=True)

    assert 'name="password' not in shown
    assert 'href="../password/"' not in shown
    person.refresh_from_db()
    assert person.check_password(PASSWORD)
    assert not AuditEvent.objects.exists()


def test_no_page_shows_a_password_hash(
    browser: Client, clerk_with: BrowserOf, person: User
) -> None:
    digest = person.password.rsplit("$", 1)[1]

    assert digest not in text(browser.get(change(person)))
    assert digest not in text(clerk_with("view_user").get(change(person)))


@pytest.mark.parametrize("target", ["staff", "person", "clerk"])
def test_only_a_superuser_hands_out_power(
    clerk_with: BrowserOf, request: pytest.FixtureRequest, target: str
) -> None:
    user: User = request.getfixturevalue(target)
    browser = clerk_with("view_user", "change_user")
    everyone = list(Permission.objects.values_list("pk", flat=True))
    before = list(User.objects.order_by("pk").values("is_staff", "is_superuser", "email"))
    held = set(user.user_permissions.all())

    browser.post(
        change(user), sent(user, is_staff="on", is_superuser="on", user_permissions=everyone)
    )

    assert list(User.objects.order_by("pk").values("is_staff", "is_superuser", "email")) == before
    assert set(user.user_permissions.all()) == held


@pytest.mark.parametrize("powers", [{"is_staff": True}, {"is_superuser": True}])
@pytest.mark.parametrize("active", [True, False])
def test_only_a_superuser_changes_other_staff(
    clerk_with: BrowserOf, powers: dict[str, bool], active: bool
) -> None:
    colleague = UserFactory.create(**powers, is_active=active)
    browser = clerk_with("view_user", "change_user")
    before = everything()

    answer = browser.post(change(colleague), sent(colleague, email="mine@example.com"))

    assert answer.status_code == 403
    assert everything() == before


def test_staff_change_their_own_name(clerk_with: BrowserOf, clerk: User) -> None:
    clerk_with("view_user", "change_user").post(change(clerk), sent(clerk, name="Chloe"))

    assert User.objects.get(pk=clerk.pk).name == "Chloe"


def test_a_superuser_hands_out_permissions(browser: Client, person: User) -> None:
    permission = Permission.objects.get(codename="view_apikey")

    browser.post(change(person), sent(person, is_staff="on", user_permissions=[permission.pk]))

    assert list(person.user_permissions.all()) == [permission]


def test_a_person_is_found_by_public_id(browser: Client, person: User) -> None:
    response = browser.get(page(User), {"q": person.public_id})

    assert list(response.context["cl"].queryset) == [person]


@pytest.mark.parametrize("name", [f"x {SECRET}", "a\u202eb"])
def test_a_name_that_must_not_be_kept_is_refused(browser: Client, name: str) -> None:
    sent = {"email": "new@example.com", "name": name}

    response = browser.post("/admin/organizations/user/add/", sent)

    assert response.status_code == 200
    assert not User.objects.filter(email="new@example.com").exists()

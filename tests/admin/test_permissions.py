"""Who has access to the admin, and what staff with only some permissions can see and do."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import NoReverseMatch, reverse

from apikeys.models import ApiKey, KeyTemplate
from apikeys.services import Issued
from organizations.models import Membership, Organization, ServiceAccount, User
from tests.admin.conftest import BrowserOf
from tests.admin.support import act, change, enter, everything, page, text
from tests.factories import InvitationFactory, ServiceAccountFactory, TemplateFactory
from tests.support.following import silent

MODELS = list(admin.site._registry)
VIEWS = ("changelist", "add", "change", "delete", "history")


@pytest.fixture
def addresses(manager: Issued, member: User, staff: User) -> list[str]:
    """Every page of the administration about something."""
    ServiceAccountFactory.create(organization=manager.key.organization)
    TemplateFactory.create(organization=manager.key.organization)
    InvitationFactory.create(organization=manager.key.organization)
    silent()
    found = []
    for model in MODELS:
        row: Any = model._default_manager.first()
        assert row, f"there is no {model.__name__} to look at"
        targets = {"changelist": model, "add": model}
        found += [page(targets.get(view, row), view) for view in VIEWS]
    apps = {model._meta.app_label for model in MODELS}
    return found + [reverse("admin:app_list", args=[app]) for app in apps]


def test_every_kind_of_page_is_walked() -> None:
    names = {pattern.name for model in MODELS for pattern in admin.site._registry[model].urls}
    known = {f"{m._meta.app_label}_{m._meta.model_name}_{v}" for m in MODELS for v in VIEWS}

    assert names - known == {None}


@pytest.mark.parametrize("who", ["nobody", "admin", "member"])
def test_customers_are_sent_to_the_login(
    addresses: list[str], request: pytest.FixtureRequest, who: str
) -> None:
    client = Client()
    if who != "nobody":
        enter(client, request.getfixturevalue(who))

    for address in [*addresses, "/admin/", "/admin/password_change/", "/admin/autocomplete/"]:
        for response in (client.get(address), client.post(address)):
            assert response.status_code == 302, address
            assert response["Location"].startswith("/admin/login/?next="), address


def test_staff_without_permissions_get_nowhere(addresses: list[str], clerk_with: BrowserOf) -> None:
    client = clerk_with()

    for address in addresses:
        if address.count("/") == 3:
            assert client.get(address).status_code == 404, address
            continue
        assert client.get(address).status_code == 403, address
        assert client.post(address).status_code in (403, 405), address


def test_staff_without_permissions_see_an_empty_index(clerk_with: BrowserOf) -> None:
    shown = text(clerk_with().get("/admin/"))

    assert "You don’t have permission to view or edit anything." in shown


@pytest.fixture
def viewer(clerk_with: BrowserOf) -> Client:
    """The browser of somebody who may see everything and do nothing."""
    names = Permission.objects.filter(codename__startswith="view_")
    return clerk_with(*names.values_list("codename", flat=True))


def test_who_may_only_look_sees_every_list_and_object(viewer: Client, addresses: list[str]) -> None:
    for address in addresses:
        expected = 403 if address.endswith(("/add/", "/delete/")) else 200
        assert viewer.get(address, follow=True).status_code == expected, address


def test_who_may_only_look_is_offered_no_action(viewer: Client, addresses: list[str]) -> None:
    for address in addresses:
        shown = text(viewer.get(address)).split('id="content"')[-1]
        assert 'name="action"' not in shown, address
        assert 'type="submit" value="Save' not in shown, address
        assert 'action="/admin/' not in shown, address


def test_who_may_only_look_changes_nothing(viewer: Client, addresses: list[str]) -> None:
    before = everything()
    sent = {"name": "Stolen", "role": "member", "email": "mine@example.com", "scopes": ["root"]}

    for address in addresses:
        viewer.post(address, sent)

    assert everything() == before


@pytest.mark.parametrize(
    ("model", "action"),
    [
        (ApiKey, "disable"),
        (ApiKey, "enable"),
        (ApiKey, "revoke"),
        (ApiKey, "delete_selected"),
        (ServiceAccount, "disable"),
        (ServiceAccount, "enable"),
        (KeyTemplate, "remove"),
        (Membership, "remove"),
        (Organization, "delete_selected"),
        (User, "delete_selected"),
        (User, "send_password_link"),
        (User, "end_sessions"),
        (User, "remove_second_factors"),
    ],
)
def test_an_action_made_by_hand_changes_nothing(
    viewer: Client, addresses: list[str], model: type[Any], action: str
) -> None:
    before = everything()
    for _ in range(2):
        act(viewer, action, *model.objects.all(), confirmed="yes", reason="x", from_detail="yes")

    assert everything() == before


def test_who_may_add_keys_only_sees_the_secret_of_theirs(
    clerk_with: BrowserOf, acme: Organization
) -> None:
    client = clerk_with("add_apikey")
    sent = {"organization": acme.pk, "name": "CI", "environment": "live"}

    response = client.post(page(ApiKey, "add"), {**sent, "scopes": ["search:read"]})

    assert response.status_code == 200
    assert client.get(change(response.context["key"])).status_code == 403
    assert client.get(page(ApiKey)).status_code == 403


def test_who_may_change_keys_creates_none(clerk_with: BrowserOf, acme: Organization) -> None:
    client = clerk_with("view_apikey", "change_apikey")
    sent = {"organization": acme.pk, "name": "CI", "environment": "live", "scopes": "search:read"}

    assert client.post(page(ApiKey, "add"), sent).status_code == 403
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("name", ["ApiKeySecret", "Group", "Permission", "LogEntry", "Session"])
def test_what_nobody_edits_has_no_page(name: str) -> None:
    assert name not in {model.__name__ for model in MODELS}


def test_every_write_needs_a_csrf_token(staff: User, addresses: list[str]) -> None:
    client = Client(enforce_csrf_checks=True)
    enter(client, staff)
    before = everything()

    for address in addresses:
        response = client.post(address, {"name": "x"})
        assert response.status_code == 403, address
        assert "This form was not accepted" in text(response), address
        assert "<style" not in text(response), "the content security policy forbids it"

    assert everything() == before


def test_no_page_exists_for_secrets() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:apikeys_apikeysecret_changelist")

"""A user's personal data as JSON, for themselves and through staff."""

import json
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from apikeys.services import create_api_key
from core.exceptions import Forbidden
from organizations import services
from organizations.models import AuditEvent, Organization, User
from tests.admin.support import act, enter, messages
from tests.factories import PASSWORD
from tests.pages.support import grow_stale, html, sign_in
from tests.support.domain import person, unwritable_trail

ADDRESS = "/accounts/data/"


@pytest.fixture
def secrets(admin: User, acme: Organization, member: User) -> list[str]:
    """Ada made a key and has an authenticator app; somebody else did something, too."""
    issued = create_api_key(
        organization=acme, actor=person(admin), name="Hers", scopes=["search:read"]
    )
    services.rename_organization(acme, name="Acme Two", actor=person(admin))
    seed = generate_totp_secret()
    TOTP.activate(admin, seed)
    return [issued.secret, seed, admin.password, member.email]


def _is_all_of_ada(data: dict[str, Any], admin: User, secrets: list[str]) -> None:
    assert data["profile"]["email"] == admin.email
    assert data["profile"]["id"] == admin.public_id
    assert [row["email"] for row in data["email_addresses"]] == [admin.email]
    assert [row["type"] for row in data["second_factors"]] == ["totp"]
    assert [(r["organization_name"], r["role"]) for r in data["memberships"]] == [
        ("Acme Two", "admin")
    ]
    assert [row["name"] for row in data["created_keys"]] == ["Hers"]
    events = [row["event"] for row in data["audit_events"]]
    assert {"api_key.created", "organization.renamed"} <= set(events)
    text = json.dumps(data)
    assert not [secret for secret in secrets if secret in text]


def test_a_person_downloads_their_own(admin: User, secrets: list[str]) -> None:
    browser = enter(Client(), admin)
    assert b"Download your data" in browser.get(ADDRESS).content

    response = browser.post(ADDRESS)

    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="{admin.public_id}.json"'
    )
    assert "no-store" in response.headers["Cache-Control"]
    _is_all_of_ada(response.json(), admin, secrets)
    event = AuditEvent.objects.get(event="person.exported")
    assert (event.actor_id, event.target_id, event.actor_kind) == (admin.pk, admin.pk, "person")


def test_looking_at_the_page_exports_nothing(admin: User) -> None:
    sign_in(admin).get(ADDRESS)

    assert not AuditEvent.objects.filter(event="person.exported").exists()


def test_an_old_sign_in_is_confirmed_first(admin: User) -> None:
    browser = sign_in(admin)
    grow_stale(browser)

    response = browser.post(ADDRESS)

    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert not AuditEvent.objects.filter(event="person.exported").exists()


def test_after_the_confirmation_the_page_offers_the_download_again(admin: User) -> None:
    browser = sign_in(admin)
    grow_stale(browser)
    asked = browser.post(ADDRESS, follow=True)
    assert "can change who gets in" not in html(asked)

    (confirmation, _) = asked.redirect_chain[-1]
    back = browser.post(confirmation, {"password": PASSWORD}, follow=True)

    assert back.request["PATH_INFO"] == ADDRESS
    assert "Confirmed. Download your data again." in html(back)
    assert not AuditEvent.objects.filter(event="person.exported").exists()
    assert browser.post(ADDRESS).headers["Content-Disposition"].startswith("attachment")


def test_an_address_alone_confirms_nothing(admin: User) -> None:
    browser = sign_in(admin)
    grow_stale(browser)

    page = html(browser.get(f"{ADDRESS}?confirmed=1"))

    assert "Confirmed." not in page


def test_without_its_event_nothing_is_given_out(admin: User) -> None:
    browser = sign_in(admin, Client(raise_request_exception=False))

    with unwritable_trail():
        response = browser.post(ADDRESS)

    assert response.status_code == 503
    assert admin.email.encode() not in response.content


def test_staff_download_it_for_one_person(
    staff: User, admin: User, member: User, secrets: list[str]
) -> None:
    browser = enter(Client(), staff)

    _is_all_of_ada(act(browser, "export_data", admin).json(), admin, secrets)
    assert messages(act(browser, "export_data", admin, member)) == ["Choose one person at a time."]

    event = AuditEvent.objects.get(event="person.exported")
    assert (event.actor_kind, event.actor_id, event.target_id) == ("staff", staff.pk, admin.pk)


def test_the_command_prints_it(admin: User, secrets: list[str]) -> None:
    output = StringIO()
    call_command("export_person", admin.email.upper(), stdout=output)

    _is_all_of_ada(json.loads(output.getvalue()), admin, secrets)
    with pytest.raises(CommandError, match="Unknown email"):
        call_command("export_person", "x@acme.example")


def test_nobody_exports_another(admin: User, member: User, acme: Organization) -> None:
    with pytest.raises(Forbidden):
        services.export_personal_data(member, actor=person(admin))

    assert not AuditEvent.objects.filter(event="person.exported").exists()

"""The export of an organization's data: complete, without secrets, recorded and bounded."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from apikeys.models import ApiKeySecret
from apikeys.pages import organization_export
from apikeys.services import Issued
from core import bulkheads
from organizations import services
from organizations.models import AuditEvent, Organization, User
from tests.factories import (
    SYSTEM,
    InvitationFactory,
    MembershipFactory,
    ServiceAccountFactory,
    TemplateFactory,
)
from tests.pages.support import html, sign_in
from tests.support.domain import nothing_written

EXPORT = "/o/acme/settings/export/"


def _export(browser: Client) -> dict[str, Any]:
    answer = browser.post(EXPORT)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"].startswith('attachment; filename="acme-20')
    data: dict[str, Any] = json.loads(answer.getvalue())
    return data


def test_everything_of_the_organization_is_in_it_and_nothing_of_others(
    browser: Client,
    acme: Organization,
    globex: Organization,
    member: User,
    make_key: Callable[..., Issued],
    foreigner: Issued,
) -> None:
    issued = make_key(name="Production", scopes=["search:read"])
    TemplateFactory.create(organization=acme, name="Reader")
    ServiceAccountFactory.create(organization=acme, name="Robot")
    InvitationFactory.create(organization=acme, email="dana@acme.example")

    services.set_default_expiry(acme, days=90, actor=SYSTEM)

    data = _export(browser)

    assert data["organization"]["id"] == acme.public_id
    assert data["organization"]["default_key_days"] == 90
    assert {row["email"] for row in data["members"]} == {"ada@acme.example", "max@acme.example"}
    assert [row["email"] for row in data["invitations"]] == ["dana@acme.example"]
    assert [row["name"] for row in data["service_accounts"]] == ["Robot"]
    assert [row["name"] for row in data["templates"]] == ["Reader"]
    (key,) = data["keys"]
    assert (key["id"], key["name"]) == (issued.key.public_id, "Production")
    assert (key["scopes"], key["status"]) == (["search:read"], "active")
    events = [row["event"] for row in data["audit_events"]]
    assert events[0] == "organization.exported", "newest first"
    assert "organization.created" in events
    assert "Globex" not in json.dumps(data)


def test_neither_secrets_nor_digests_are_in_it(browser: Client, manager: Issued) -> None:
    text = json.dumps(_export(browser))

    assert manager.secret not in text
    digests = [bytes(d).hex() for d in ApiKeySecret.objects.values_list("digest", flat=True)]
    assert not [digest for digest in digests if digest in text]


def test_an_export_is_recorded_before_it_starts(
    browser: Client, acme: Organization, admin: User
) -> None:
    browser.post(EXPORT)  # and never read

    event = AuditEvent.objects.get(event="organization.exported")
    assert (event.actor_id, event.details) == (admin.pk, {"exported": "all data"})


def test_long_lists_are_read_in_batches(
    browser: Client, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(organization_export, "_BATCH", 2)
    for _ in range(4):
        MembershipFactory.create(organization=acme)

    members = _export(browser)["members"]

    assert len({row["id"] for row in members}) == len(members) == 5


def test_members_and_outsiders_export_nothing(
    acme: Organization, member: User, outsider: User, globex: Organization
) -> None:
    for user, status in ((member, 403), (outsider, 404)):
        with nothing_written():
            assert sign_in(user).post(EXPORT).status_code == status


def test_an_export_needs_a_place_and_gives_it_back(
    browser: Client, acme: Organization, bulkheads_of_four: None
) -> None:
    answer = browser.post(EXPORT)
    held = bulkheads.taken()
    answer.getvalue()
    answer.close()

    assert (held, bulkheads.taken()) == (1, 0)


def test_without_a_place_it_is_refused(
    browser: Client, acme: Organization, no_place_free: None
) -> None:
    answer = browser.post(EXPORT)

    assert answer.status_code == 429
    assert "Too many exports are in progress." in html(answer)
    assert not AuditEvent.objects.filter(event="organization.exported").exists()


def test_after_a_sign_in_the_button_is_shown_again(browser: Client, acme: Organization) -> None:
    page = html(browser.get(EXPORT))

    assert f'<form method="post" action="{EXPORT}">' in page

"""Staff create a key for an organization. Its secret is only in that response."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeySecret
from organizations.models import AuditEvent, Organization, User
from organizations.services import set_key_limit
from tests.admin.support import change, everything, only_event, page, text
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.domain import SECRET

ADD = "/admin/apikeys/apikey/add/"
AT_ONE = "This organization has reached its limit of 1 key. Delete one to create another."


@pytest.fixture
def sent(acme: Organization) -> dict[str, Any]:
    """What the form sends."""
    return {
        "organization": acme.pk,
        "name": "Production",
        "description": "Kept words",
        "environment": "test",
        "scopes": ["search:read"],
    }


def secret_of(response: Any) -> str:
    secret: str = response.context["issued"].secret
    return secret


def test_a_key_is_created_as_the_form_says(
    browser: Client, staff: User, acme: Organization, sent: dict[str, Any]
) -> None:
    robot = ServiceAccountFactory.create(organization=acme)
    ends = (timezone.now() + timedelta(days=9)).replace(second=0, microsecond=0)

    browser.post(
        ADD, {**sent, "expires_at": f"{ends:%Y-%m-%dT%H:%M}", "service_account": robot.public_id}
    )

    key = ApiKey.objects.get()
    assert (key.organization, key.name, key.description) == (acme, "Production", "Kept words")
    assert (key.environment, key.scopes, key.expires_at) == ("test", ["search:read"], ends)
    assert (key.service_account, key.created_by) == (robot, staff)
    assert only_event("api_key.created", staff).target_id == key.pk


def test_the_answer_itself_shows_the_secret(browser: Client, sent: dict[str, Any]) -> None:
    response = browser.post(ADD, sent)

    assert response.status_code == 200
    assert text(response).count(secret_of(response)) == 1
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"


def test_the_answer_has_no_form_that_the_browser_would_have_refused(
    browser: Client, sent: dict[str, Any]
) -> None:
    """Without a referrer, forms carry no origin, and the CSRF check turns them away."""
    assert "<form" not in text(browser.post(ADD, sent)).split('id="content"')[1]
    assert "logout" not in text(browser.post(ADD, {**sent, "name": "Other"}))


def test_the_secret_is_kept_nowhere(browser: Client, sent: dict[str, Any]) -> None:
    secret = secret_of(browser.post(ADD, sent))
    key = ApiKey.objects.get()

    pages = [browser.get(address) for address in (page(ApiKey), change(key), page(AuditEvent), ADD)]
    kept = [*AuditEvent.objects.values(), *LogEntry.objects.values(), *ApiKey.objects.values()]

    random = secret.split("_")[-1][4:]
    assert not [response for response in pages if random in text(response)]
    assert random not in repr(kept)
    assert random not in repr(dict(browser.session))
    assert "_messages" not in browser.session


def test_no_page_shows_a_digest(browser: Client, sent: dict[str, Any]) -> None:
    created = browser.post(ADD, sent)
    digest = bytes(ApiKeySecret.objects.get().digest)
    pages = [created, browser.get(page(ApiKey)), browser.get(change(ApiKey.objects.get()))]

    assert not [
        response for response in pages if digest.hex() in text(response) or digest in response
    ]


def test_sending_the_form_again_makes_no_second_key(browser: Client, sent: dict[str, Any]) -> None:
    browser.post(ADD, sent)
    before = everything()

    response = browser.post(ADD, sent)

    assert response.status_code == 200
    assert "A key named “Production” already exists." in text(response)
    assert "its secret can't be shown again" in text(response)
    assert f'href="{change(ApiKey.objects.get())}"' in text(response)
    assert everything() == before


def test_at_the_limit_of_keys_the_form_comes_back_and_makes_none(
    browser: Client, acme: Organization, sent: dict[str, Any]
) -> None:
    set_key_limit(acme, limit=1, actor=SYSTEM)
    browser.post(ADD, sent)
    before = everything()

    response = browser.post(ADD, {**sent, "name": "Second"})

    form = response.context["form"]
    assert response.status_code == 200
    assert form.errors == {"__all__": [AT_ONE]}
    assert AT_ONE in text(response)
    assert "its secret can't be shown again" not in text(response)
    assert form["description"].value() == "Kept words"
    assert everything() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("organization", ""),
        ("name", ""),
        ("name", "be\x07ll"),
        ("name", "\u202etxt"),
        ("name", "x" * 101),
        ("name", f"For {SECRET}"),
        ("environment", "production"),
        ("scopes", []),
        ("scopes", ["root"]),
        ("expires_at", "2001-01-01T00:00"),
        ("expires_at", "tomorrow"),
        ("description", "x" * 501),
        ("service_account", "sa_0000000000000000000000"),
        ("service_account", "Robot"),
    ],
)
def test_what_is_refused_comes_back_on_its_field(
    browser: Client, sent: dict[str, Any], field: str, value: Any
) -> None:
    before = everything()

    response = browser.post(ADD, {**sent, field: value})

    form = response.context["form"]
    assert response.status_code == 200
    assert list(form.errors) == [field]
    assert form["description"].value() in ("Kept words", "x" * 501)
    assert form[field].value() == ("" if SECRET in value else value)
    assert SECRET not in text(response)
    assert everything() == before


def test_another_organizations_service_account_is_refused(
    browser: Client, sent: dict[str, Any], globex: Organization
) -> None:
    stranger = ServiceAccountFactory.create(organization=globex)
    before = everything()

    response = browser.post(ADD, {**sent, "service_account": stranger.public_id})

    assert list(response.context["form"].errors) == ["service_account"]
    assert everything() == before


def test_other_fields_that_are_sent_along_are_ignored(
    browser: Client, sent: dict[str, Any], admin: User
) -> None:
    more = {"id": SECRET, "created_by": admin.pk, "metadata": '{"a": "b"}', "digest": "00"}

    browser.post(ADD, {**sent, **more, "revoked_at": "2001-01-01", "key_prefix": "sig_live_0000"})

    key = ApiKey.objects.get()
    assert (key.revoked_at, key.metadata) == (None, {})
    assert key.created_by != admin


def test_a_link_may_name_the_organization(browser: Client, acme: Organization) -> None:
    shown = text(browser.get(ADD, {"organization": str(acme.pk)}))

    assert f'<option value="{acme.pk}" selected>' in shown


def test_a_link_may_name_nonsense(browser: Client) -> None:
    assert browser.get(ADD, {"organization": "nonsense"}).status_code == 200

"""Creating a key on the page shows one secret in one response."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeySecret, Submission
from apikeys.verification.verify import verify
from core.timestamps import stamp
from organizations.models import AuditEvent, Organization, User
from tests.factories import PASSWORD, TemplateFactory
from tests.pages.support import developer, grow_stale, html, secret_in, sign_in, submission_of
from tests.support.domain import every_row

ALL_BUT_MANAGING = ["trademarks:read", "search:read", "portfolios:manage", "events:read"]


@pytest.fixture
def address(acme: Organization) -> str:
    return developer(acme, "keys/create/")


def _create(browser: Client, address: str, **fields: Any) -> Any:
    submission = fields.pop("submission", None) or submission_of(browser.get(address))
    return browser.post(address, {"submission": submission, "name": "Production", **fields})


def test_a_name_is_enough(browser: Client, address: str, admin: User) -> None:
    answer = _create(browser, address)

    assert answer.status_code == 201
    key = ApiKey.objects.get()
    assert (key.name, key.environment, key.expires_at) == ("Production", "live", None)
    assert key.scopes == ALL_BUT_MANAGING
    assert key.created_by == admin
    found = verify(secret_in(answer)).found
    assert found is not None
    assert found.key_id == key.id


def test_the_answer_is_kept_nowhere(browser: Client, address: str) -> None:
    answer = _create(browser, address)

    secret = secret_in(answer)
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    for kept in (every_row(), [s.get_decoded() for s in Session.objects.all()]):
        assert secret not in str(kept)
    assert secret not in str(answer.cookies)
    for other in ("", "keys/create/", f"keys/{ApiKey.objects.get().public_id}/"):
        page = html(browser.get(address.replace("keys/create/", other)))
        assert secret not in page


def test_without_script_the_secret_is_folded_away(browser: Client, address: str) -> None:
    text = html(_create(browser, address))

    assert "<summary>Show secret</summary>" in text
    assert "data-secret-value" not in text


def test_sent_again_it_makes_no_second_key(browser: Client, address: str) -> None:
    first = _create(browser, address)
    assert Submission.objects.get().secret == ApiKeySecret.objects.get()
    sent = submission_of(browser.get(address))
    made = _create(browser, address, submission=sent, name="Second")

    again = _create(browser, address, submission=sent, name="Second")
    renamed = _create(browser, address, submission=sent, name="Third")

    assert first.status_code == made.status_code == 201
    assert again.status_code == renamed.status_code == 409
    assert "Its secret can't be shown again." in html(again).replace("&#x27;", "'")
    assert secret_in(made) not in html(again)
    assert ApiKey.objects.count() == 2
    assert AuditEvent.objects.filter(event="api_key.created").count() == 2


def test_the_same_submission_of_another_organization_is_its_own(
    browser: Client, address: str, outsider: User, globex: Organization
) -> None:
    sent = submission_of(browser.get(address))
    _create(browser, address, submission=sent)

    answer = _create(sign_in(outsider), developer(globex, "keys/create/"), submission=sent)

    assert answer.status_code == 201
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "  "}, "Enter a name for the key."),
        ({"name": "x" * 117}, "Use 100 characters or fewer. You have used 117."),
        ({"permissions": "custom"}, "Choose at least one permission."),
        ({"expires": "custom", "expires_on": "2020-01-01"}, "Choose a date after today."),
        ({"expires": "custom"}, "Choose a date."),
        ({"expires": "custom", "expires_on": "soon"}, "Enter a valid date."),
        ({"environment": "moon"}, "Select a valid choice."),
        ({"description": "x" * 501}, "Use 500 characters or fewer."),
        ({"template": "00000000-0000-7000-8000-000000000000"}, "Select a valid choice."),
        ({"submission": "again"}, ""),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    browser: Client, address: str, fields: dict[str, str], message: str
) -> None:
    answer = _create(browser, address, **{"description": "For the web shop", **fields})

    assert answer.status_code == 422
    text = html(answer)
    assert message in text
    assert 'role="alert"' in text
    if "description" not in fields:
        assert "For the web shop" in text
    assert not ApiKey.objects.exists()


def test_a_taken_name_is_refused_on_its_field(browser: Client, address: str) -> None:
    _create(browser, address)

    answer = _create(browser, address, name="PRODUCTION")

    assert answer.status_code == 422
    assert (
        "A key named “PRODUCTION” already exists. Choose another name."
        in (answer.context["form"].errors["name"])
    )
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize(
    ("choice", "scopes"),
    [
        ("read", ["trademarks:read", "search:read", "events:read"]),
        ("full", [*ALL_BUT_MANAGING, "api-keys:manage"]),
    ],
)
def test_presets_of_permissions(
    browser: Client, address: str, choice: str, scopes: list[str]
) -> None:
    _create(browser, address, permissions=choice)

    assert ApiKey.objects.get().scopes == scopes


def test_custom_permissions_environment_and_description(browser: Client, address: str) -> None:
    answer = _create(
        browser,
        address,
        permissions="custom",
        scopes=["search:read"],
        environment="test",
        description="For builds",
    )

    key = ApiKey.objects.get()
    assert (key.scopes, key.environment, key.description) == (["search:read"], "test", "For builds")
    assert secret_in(answer).startswith("sig_test_")


def test_a_template_fills_in_what_is_left_as_it_is(
    browser: Client, address: str, acme: Organization
) -> None:
    template = TemplateFactory.create(organization=acme, scopes=["events:read"], lifetime_days=30)

    _create(browser, address, template=template.pk)

    key = ApiKey.objects.get()
    assert key.scopes == ["events:read"]
    assert key.expires_at is not None
    assert abs(key.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_never_is_a_choice_with_a_template(
    browser: Client, address: str, acme: Organization
) -> None:
    template = TemplateFactory.create(organization=acme, scopes=["events:read"], lifetime_days=30)
    form = html(browser.get(address))

    _create(browser, address, template=template.pk, expires="never")

    assert '<option value="never">Never</option>' in form
    assert "As the template says, or never" in form
    assert ApiKey.objects.get().expires_at is None


@pytest.mark.parametrize("choice", ["", "standard", "read", "full"])
def test_ticked_permissions_count_or_are_refused(
    browser: Client, address: str, choice: str
) -> None:
    answer = _create(browser, address, permissions=choice, scopes=["search:read"])

    errors = answer.context["form"].errors
    assert answer.status_code == 422
    assert list(errors) == ["permissions"]
    assert "Choose “Custom” to use the permissions that are ticked" in errors["permissions"][0]
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("choice", ["", "30", "never"])
def test_a_date_that_was_entered_counts_or_is_refused(
    browser: Client, address: str, acme: Organization, choice: str
) -> None:
    TemplateFactory.create(organization=acme)

    answer = _create(browser, address, expires=choice, expires_on="2035-02-18")

    errors = answer.context["form"].errors
    assert answer.status_code == 422
    assert errors == {"expires": ["Choose “Custom date” to use the date, or clear it."]}
    assert not ApiKey.objects.exists()


def test_another_organizations_template_is_no_choice(
    browser: Client, address: str, globex: Organization
) -> None:
    template = TemplateFactory.create(organization=globex, name="Theirs")

    answer = _create(browser, address, template=template.pk)

    assert answer.status_code == 422
    assert "Theirs" not in html(browser.get(address))


def test_the_end_is_stated_to_the_minute(browser: Client, address: str) -> None:
    options = html(browser.get(address))
    expected = stamp(timezone.now() + timedelta(days=30))

    answer = _create(browser, address, expires="custom", expires_on="2035-02-18")

    assert expected[:11] in options
    assert ApiKey.objects.get().expires_at == datetime(2035, 2, 18, 23, 59, tzinfo=UTC)
    assert "18 Feb 2035, 23:59 UTC" in html(answer)


def test_an_old_sign_in_is_confirmed_first_and_keeps_what_was_typed(
    browser: Client, address: str
) -> None:
    grow_stale(browser)

    asked = _create(browser, address, description="For the web shop")
    assert asked.status_code == 422
    assert not ApiKey.objects.exists()
    carried = dict(asked.context["carried"])
    refused = browser.post(address, {**carried, "confirm_password": "wrong"})
    made = browser.post(address, {**carried, "confirm_password": PASSWORD})

    assert carried["name"] == "Production"
    assert "The password is incorrect." in html(refused)
    assert made.status_code == 201
    assert ApiKey.objects.get().description == "For the web shop"
    assert PASSWORD not in html(refused)


def test_a_name_from_the_address_is_filled_in(browser: Client, address: str) -> None:
    assert 'value="From before"' in html(browser.get(f"{address}?name=From+before"))


def test_a_name_with_markup_is_text(browser: Client, address: str, acme: Organization) -> None:
    _create(browser, address, name="<b onclick=x>'\"&", description="<script>")

    text = html(browser.get(developer(acme)))
    assert "<b onclick" not in text
    assert "&lt;b onclick=x&gt;" in text
    assert "<script>" not in text

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
from tests.factories import PASSWORD, ServiceAccountFactory, TemplateFactory
from tests.pages.support import developer, grow_stale, html, secret_in, sign_in, submission_of
from tests.support.domain import every_row, nothing_written

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

    assert "Show secret</summary>" in text
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
    assert "“Second” was already created. Its secret can't be shown again" in html(again)
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


def test_what_a_template_filled_in_can_be_changed(
    browser: Client, address: str, acme: Organization
) -> None:
    """The fields that show its values count as they are, also where they are the defaults again."""
    template = TemplateFactory.create(organization=acme, scopes=["events:read"], lifetime_days=30)
    chosen = {"template": template.pk, "filled": template.pk}

    _create(browser, address, **chosen, permissions="standard", expires="never")

    key = ApiKey.objects.get()
    assert (key.scopes, key.expires_at) == (ALL_BUT_MANAGING, None)


def test_without_scripts_a_button_fills_in_the_template(
    browser: Client, address: str, acme: Organization
) -> None:
    template = TemplateFactory.create(organization=acme, scopes=["events:read"], lifetime_days=45)
    entered = {"description": "For the web shop", "environment": "test", "template": template.pk}

    with nothing_written():
        filled = _create(browser, address, **entered, fill="yes")

    form = filled.context["form"]
    assert filled.status_code == 200
    assert {name: form[name].value() for name in ("name", "description", "environment")} == {
        "name": "Production",
        "description": "For the web shop",
        "environment": "test",
    }
    assert form["permissions"].value() == "custom"
    assert form["scopes"].value() == ["events:read"]
    assert form["expires"].value() == "45"
    assert "Fills in <b data-filling-permissions>1 of 5 permissions</b>" in html(filled)
    assert "Test · Custom permissions · Expires in 45 days" in html(filled)
    assert (
        f"Stops working <strong data-end-shown>{stamp(timezone.now() + timedelta(days=45))[:11]}"
        in html(filled)
    )


@pytest.mark.parametrize("name", ["template", "for"])
def test_the_form_starts_from_what_the_address_names(
    browser: Client, address: str, acme: Organization, globex: Organization, name: str
) -> None:
    factory = TemplateFactory if name == "template" else ServiceAccountFactory
    ours, theirs = factory.create(organization=acme), factory.create(organization=globex)
    field = "template" if name == "template" else "service_account"

    shown = browser.get(f"{address}?{name}={ours.public_id}")
    other = browser.get(f"{address}?{name}={theirs.public_id}")

    assert shown.context["form"][field].value() == ours.pk
    assert " open" in html(shown).partition('<details class="disclose options"')[2][:10]
    assert theirs.name not in html(other).replace(ours.name, "")


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (ALL_BUT_MANAGING, "Standard (4 of 5)"),
        (["search:read"], "1 of 5 permissions"),
        ([*ALL_BUT_MANAGING, "api-keys:manage"], "Full access (5 of 5)"),
    ],
)
def test_the_secret_page_says_what_the_key_may(
    browser: Client, address: str, scopes: list[str], words: str
) -> None:
    answer = _create(browser, address, permissions="custom", scopes=scopes)

    assert words in html(answer)


def test_the_examples_hold_no_secret(browser: Client, address: str, acme: Organization) -> None:
    text = html(_create(browser, address))

    examples = text.partition("data-samples")[2].partition("</section>")[0]
    assert examples.count("API_KEY") == 4
    assert examples.count(f"/v1/accounts/{acme.public_id}/templates") == 4
    assert "sig_" not in examples


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

    assert f'data-end="{expected[:11]}' in options
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

    back = browser.post(address, {**carried, "step_back": "yes"})

    assert back.status_code == 200
    assert back.context["form"]["description"].value() == "For the web shop"
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

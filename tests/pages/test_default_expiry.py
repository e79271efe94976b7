"""The organization's default expiry: who sets it, and what it preselects for new keys."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.services import Issued
from core.actors import Actor
from core.exceptions import Invalid, NotFound
from core.timestamps import stamp
from organizations import services
from organizations.models import KEY_PERIODS, AuditEvent, Organization, User
from tests.factories import SYSTEM, TemplateFactory
from tests.pages.support import developer, html, sign_in, submission_of, told
from tests.support.client import ApiClient
from tests.support.dialects import DIALECTS, Dialect
from tests.support.domain import nothing_written

GENERAL, SAVE = "/o/acme/settings/", "/o/acme/settings/expiry/"
CREATE = "/o/acme/settings/developer/keys/create/"


@pytest.fixture
def ninety(acme: Organization) -> Organization:
    return services.set_default_expiry(acme, days=90, actor=SYSTEM)


def _create(browser: Client, **fields: Any) -> ApiKey:
    submission = submission_of(browser.get(CREATE))
    answer = browser.post(CREATE, {"submission": submission, "name": "Production", **fields})
    assert answer.status_code == 201
    return ApiKey.objects.get()


def _days_left(key: ApiKey) -> int | None:
    ends = key.expires_at
    return round((ends - timezone.now()) / timedelta(days=1)) if ends else None


def test_an_admin_sets_it(browser: Client, acme: Organization, admin: User) -> None:
    answer = browser.post(SAVE, {"default_key_days": "90"}, follow=True)

    acme.refresh_from_db()
    assert acme.default_key_days == 90
    assert "Changes saved." in html(answer)
    assert '<option value="90" selected>90 days</option>' in html(answer)
    event = AuditEvent.objects.get(event="organization.default_expiry_changed")
    assert (event.actor_id, event.details) == (admin.pk, {"default_key_days": [None, 90]})
    line = "Ada Acme changed the default expiry of keys"
    assert any(line in said for said in told(browser.get(developer(acme, "activity/"))))


def test_never_takes_it_back(browser: Client, ninety: Organization) -> None:
    browser.post(SAVE, {"default_key_days": "never"})

    ninety.refresh_from_db()
    assert ninety.default_key_days is None
    details = AuditEvent.objects.latest("number").details
    assert details == {"default_key_days": [90, None]}
    with nothing_written():
        browser.post(SAVE, {"default_key_days": "never"})


@pytest.mark.parametrize("value", ["", "45", "0", "-30", "ninety", "9" * 40])
def test_other_values_are_refused_on_their_field(
    browser: Client, ninety: Organization, value: str
) -> None:
    with nothing_written():
        answer = browser.post(SAVE, {"default_key_days": value})

    assert answer.status_code == 422
    form = answer.context["expiry_form"]
    assert form.errors == {"default_key_days": ["Choose an expiry from the list."]}
    assert not answer.context["form"].is_bound


def test_the_service_names_the_field_and_the_values(acme: Organization) -> None:
    with nothing_written(), pytest.raises(Invalid, match="7, 30, 60, 90, 180, 365") as refusal:
        services.set_default_expiry(acme, days=45, actor=SYSTEM)

    assert refusal.value.problems[0].field == "default_key_days"


def test_members_outsiders_and_visitors_cannot(
    acme: Organization, member: User, outsider: User, globex: Organization
) -> None:
    with nothing_written():
        for user, status in ((member, 403), (outsider, 404)):
            client = sign_in(user)
            assert client.post(SAVE, {"default_key_days": "90"}).status_code == status
            assert client.get(SAVE).status_code == status
        assert Client().post(SAVE, {"default_key_days": "90"}).status_code == 302
    assert "default_key_days" not in html(sign_in(member).get(GENERAL))


def test_a_closed_organization_keeps_its_own(
    browser: Client, ninety: Organization, as_admin: Actor
) -> None:
    services.close_organization(ninety, actor=SYSTEM)

    with nothing_written():
        assert browser.post(SAVE, {"default_key_days": "30"}).status_code == 404
        with pytest.raises(NotFound):
            services.set_default_expiry(ninety, days=30, actor=as_admin)


def test_two_who_set_it_at_once(browser: Client, acme: Organization) -> None:
    seen = browser.get(GENERAL).context["expiry_form"].initial["seen"]
    browser.post(SAVE, {"default_key_days": "365", "seen": seen})

    late = browser.post(SAVE, {"default_key_days": "30", "seen": seen})
    form = late.context["expiry_form"]
    again = browser.post(SAVE, {"default_key_days": "30", "seen": form["seen"].value()})

    assert late.status_code == 422
    assert late.context["theirs"] == [("Default expiry", "1 year")]
    assert html(late).count("Saved version") == 2  # its name and its heading
    assert form["default_key_days"].value() == 30
    assert again.status_code == 303
    acme.refresh_from_db()
    assert acme.default_key_days == 30


def test_after_a_sign_in_the_page_is_shown_again(browser: Client, acme: Organization) -> None:
    assert browser.get(SAVE)["Location"] == GENERAL

    text = html(browser.get(GENERAL))
    assert f'action="{SAVE}"' in text
    assert f'action="{GENERAL}"' in text


def test_ids_on_the_page_are_unique(browser: Client, acme: Organization) -> None:
    text = html(browser.get(GENERAL))

    for name in ("id_seen", "id_expiry_seen", "id_name", "id_expiry_default_key_days"):
        assert text.count(f'id="{name}"') == 1


@pytest.mark.parametrize("days", KEY_PERIODS)
def test_the_page_preselects_it_with_the_exact_moment(
    browser: Client, acme: Organization, days: int
) -> None:
    services.set_default_expiry(acme, days=days, actor=SYSTEM)

    text = html(browser.get(CREATE))

    ends = stamp(timezone.now() + timedelta(days=days))[:11]
    assert f'data-default="{days}"' in text
    assert f'<option value="{days}" selected' in text
    assert f"Stops working <strong data-end-shown>{ends}" in text
    assert " UTC</strong>." in text
    assert " open" not in text.partition('<details class="disclose options"')[2][:10]


def test_without_one_keys_never_expire(browser: Client, acme: Organization) -> None:
    text = html(browser.get(CREATE))

    assert '<option value="never" selected' in text
    assert "Live · Standard permissions · Never expires" in text
    assert _days_left(_create(browser, expires="never")) is None


def test_it_can_be_replaced_for_one_key(browser: Client, ninety: Organization) -> None:
    assert _days_left(_create(browser, expires="never")) is None


def test_a_refused_form_does_not_count_it_as_changed(browser: Client, ninety: Organization) -> None:
    answer = browser.post(CREATE, {"name": "", "expires": "90", "environment": "live"})

    assert answer.status_code == 422
    assert "expires" not in answer.context["form"].changed_data
    assert answer.context["form"]["expires"].value() == "90"


@pytest.mark.parametrize(("lifetime", "expected"), [(30, 30), (None, 90)])
def test_a_template_with_its_own_expiry_wins(
    browser: Client, ninety: Organization, lifetime: int | None, expected: int
) -> None:
    template = TemplateFactory.create(organization=ninety, lifetime_days=lifetime)

    shown = browser.get(f"{CREATE}?template={template.public_id}")
    filled = browser.post(CREATE, {"template": template.pk, "expires": "90", "fill": "yes"})
    key = _create(browser, template=template.pk, expires="90")

    assert shown.context["form"]["expires"].value() == str(expected)
    assert filled.context["form"]["expires"].value() == str(expected)
    assert f"<b data-filling-period>{expected} days</b>" in html(shown)
    assert f'data-expires="{expected}"' in html(browser.get(CREATE))
    assert _days_left(key) == expected


@pytest.mark.parametrize("choice", ["never", "7"])
def test_what_is_chosen_wins_over_the_template(
    browser: Client, ninety: Organization, choice: str
) -> None:
    template = TemplateFactory.create(organization=ninety, lifetime_days=30)

    key = _create(browser, template=template.pk, expires=choice)

    assert _days_left(key) == (None if choice == "never" else 7)


def test_the_list_of_templates_says_it(browser: Client, ninety: Organization) -> None:
    TemplateFactory.create(organization=ninety, lifetime_days=None)

    assert "90 days" in html(browser.get(developer(ninety, "templates/")))


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_no_format_of_the_api_has_it(
    dialect: Dialect, call: ApiClient, manager: Issued, ninety: Organization
) -> None:
    body = dialect.body(name="By the API", scopes=["search:read"], scope="read")

    made = call("POST", dialect.keys(ninety), body, key=manager)

    assert made.status == dialect.created
    assert ApiKey.objects.get(name="By the API").expires_at is None


def test_a_template_sets_the_expiry_although_the_default_changed_meanwhile(
    browser: Client, ninety: Organization
) -> None:
    template = TemplateFactory.create(organization=ninety, lifetime_days=1)
    shown = browser.get(CREATE).context["form"]
    sent = {name: shown[name].value() for name in ("expires", "shown_default")}
    services.set_default_expiry(ninety, days=7, actor=SYSTEM)

    key = _create(browser, **sent, filled="", template=template.pk)

    assert sent == {"expires": "90", "shown_default": "90"}
    assert _days_left(key) == 1


def test_an_expiry_that_was_chosen_wins_over_a_template(
    browser: Client, ninety: Organization
) -> None:
    template = TemplateFactory.create(organization=ninety, lifetime_days=1)

    key = _create(browser, expires="30", shown_default="90", filled="", template=template.pk)

    assert _days_left(key) == 30


@pytest.mark.parametrize("sent", [{}, {"expires": ""}, {"expires": "", "shown_default": ""}])
@pytest.mark.parametrize("lifetime", [None, "", 1])
def test_without_a_choice_the_default_counts(
    browser: Client, ninety: Organization, sent: dict[str, str], lifetime: Any
) -> None:
    more = dict(sent)
    if lifetime is not None:
        template = TemplateFactory.create(organization=ninety, lifetime_days=lifetime or None)
        more["template"] = str(template.pk)

    assert _days_left(_create(browser, **more)) == (lifetime or 90)


def test_never_has_to_be_chosen(browser: Client, ninety: Organization) -> None:
    assert _create(browser, expires="never").expires_at is None

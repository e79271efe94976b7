"""Key templates in the staff admin."""

from typing import Any

import pytest
from django.test import Client

from apikeys.models import KeyTemplate
from organizations.models import Organization, User
from tests.admin.support import act, change, everything, messages, only_event, text
from tests.factories import TemplateFactory

ADD = "/admin/apikeys/keytemplate/add/"


@pytest.fixture
def template(acme: Organization) -> KeyTemplate:
    made: KeyTemplate = TemplateFactory.create(organization=acme, name="CI")
    return made


def sent(**changes: Any) -> dict[str, Any]:
    given = {"name": "CI", "description": "", "scopes": ["search:read"], "lifetime_days": "30"}
    return {**given, **changes}


def test_one_is_created(browser: Client, staff: User, acme: Organization) -> None:
    browser.post(ADD, sent(organization=acme.pk))

    made = KeyTemplate.objects.get()
    assert (made.organization, made.scopes, made.lifetime_days) == (acme, ["search:read"], 30)
    assert only_event("template.created", staff).target_id == made.pk


def test_one_is_changed(browser: Client, staff: User, template: KeyTemplate) -> None:
    browser.post(change(template), sent(scopes=["search:read", "events:read"]))

    template.refresh_from_db()
    assert sorted(template.scopes) == ["events:read", "search:read"]
    only_event("template.updated", staff)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "be\x07ll"), ("scopes", []), ("scopes", ["root"]), ("lifetime_days", "0")],
)
def test_what_is_refused_comes_back_on_its_field(
    browser: Client, template: KeyTemplate, field: str, value: Any
) -> None:
    before = everything()

    response = browser.post(change(template), sent(**{"description": "kept", field: value}))

    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert 'value="kept"' in text(response)
    assert everything() == before


def test_a_taken_name_is_refused_on_the_form(browser: Client, template: KeyTemplate) -> None:
    before = everything()

    response = browser.post(ADD, sent(organization=template.organization_id, name="ci"))

    assert response.status_code == 200
    assert "A template named “ci” already exists." in text(response)
    assert everything() == before


def test_it_stays_in_its_organization(
    browser: Client, template: KeyTemplate, globex: Organization
) -> None:
    browser.post(change(template), sent(organization=globex.pk))

    assert KeyTemplate.objects.get().organization == template.organization


def test_one_is_deleted(browser: Client, staff: User, template: KeyTemplate) -> None:
    response = act(browser, "remove", template)

    assert not KeyTemplate.objects.exists()
    assert messages(response) == ["Deleted templates: 1."]
    only_event("template.deleted", staff)

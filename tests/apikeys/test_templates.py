"""Services for key templates."""

from typing import Any

import pytest

from apikeys import services
from apikeys.models import KeyTemplate
from core.exceptions import Conflict, ErrorCode, Invalid, NotFound
from organizations.models import AuditEvent, Organization
from tests.factories import SYSTEM, TemplateFactory
from tests.support.domain import SECRET, every_row


@pytest.fixture
def template(acme: Organization) -> KeyTemplate:
    """A preset of Acme."""
    preset: KeyTemplate = TemplateFactory.create(organization=acme, name="Preset")
    return preset


def _create(acme: Organization, **fields: Any) -> KeyTemplate:
    given = {"name": "New", "scopes": ["search:read"], **fields}
    return services.create_template(organization=acme, actor=SYSTEM, **given)


def test_a_new_template_holds_what_was_given(acme: Organization) -> None:
    template = _create(acme, name=" CI ", description=" For builds. ", lifetime_days=30)

    template.refresh_from_db()
    assert (template.name, template.description) == ("CI", "For builds.")
    assert (template.scopes, template.lifetime_days) == (["search:read"], 30)
    assert template.organization == acme
    assert AuditEvent.objects.latest("id").details == {
        "scopes": ["search:read"],
        "lifetime_days": 30,
    }


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": SECRET}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"scopes": ["search:read", "search"]}, "scopes.1"),
        ({"description": "\u202e"}, "description"),
        ({"lifetime_days": 0}, "lifetime_days"),
        ({"lifetime_days": 3651}, "lifetime_days"),
    ],
)
def test_what_cannot_be_stored_is_refused(
    fields: dict[str, Any], field: str, acme: Organization, template: KeyTemplate
) -> None:
    before = every_row()

    with pytest.raises(Invalid) as on_create:
        _create(acme, **fields)
    with pytest.raises(Invalid) as on_update:
        services.update_template(template, actor=SYSTEM, changes=fields)

    assert [problem.field for problem in on_create.value.problems] == [field]
    assert on_update.value.problems == on_create.value.problems
    assert every_row() == before


@pytest.mark.parametrize("name", ["Preset", "PRESET", " preset "])
def test_a_name_is_taken_whatever_its_case(
    name: str, acme: Organization, template: KeyTemplate
) -> None:
    other = _create(acme, name="Other")
    before = every_row()

    with pytest.raises(Conflict) as on_create:
        _create(acme, name=name)
    with pytest.raises(Conflict) as on_update:
        services.update_template(other, actor=SYSTEM, changes={"name": name})

    assert on_create.value.code is on_update.value.code is ErrorCode.NAME_TAKEN
    assert every_row() == before


def test_another_organization_may_use_the_same_name(
    template: KeyTemplate, globex: Organization
) -> None:
    assert _create(globex, name="Preset").name == template.name


def test_an_update_tells_old_and_new(template: KeyTemplate) -> None:
    changes = {"name": "Renamed", "scopes": ["events:read"], "lifetime_days": 7}

    services.update_template(template, actor=SYSTEM, changes=changes)

    before = template.updated_at
    template.refresh_from_db()
    assert (template.name, template.lifetime_days) == ("Renamed", 7)
    assert template.updated_at > before
    assert AuditEvent.objects.latest("id").details == {
        "name": ["Preset", "Renamed"],
        "scopes": [["search:read"], ["events:read"]],
        "lifetime_days": [None, 7],
    }


def test_a_deleted_template_is_gone_and_its_name_free(
    acme: Organization, template: KeyTemplate
) -> None:
    services.delete_template(template, actor=SYSTEM)

    assert not KeyTemplate.objects.exists()
    assert _create(acme, name="Preset").name == "Preset"
    assert AuditEvent.objects.get(event="template.deleted").target_label == "Preset"


def test_a_template_that_is_gone_cannot_be_changed_or_deleted_again(
    template: KeyTemplate,
) -> None:
    stale = KeyTemplate.objects.get()
    services.delete_template(template, actor=SYSTEM)

    with pytest.raises(NotFound):
        services.update_template(stale, actor=SYSTEM, changes={"name": "Back"})
    with pytest.raises(NotFound):
        services.delete_template(stale, actor=SYSTEM)

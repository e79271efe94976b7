"""No key can create a template with more permissions than its own, or extend one."""

import pytest

from apikeys.models import KeyTemplate
from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.support.api import MakeKey
from tests.support.client import ApiClient


@pytest.fixture
def template(acme: Organization) -> KeyTemplate:
    made: KeyTemplate = TemplateFactory.create(organization=acme, lifetime_days=30)
    return made


@pytest.mark.parametrize("days", [31, None])
def test_a_key_without_its_scopes_cannot_make_a_template_last(
    call: ApiClient, make_key: MakeKey, template: KeyTemplate, days: int | None
) -> None:
    keeper = make_key(scopes=["api-keys:manage"])
    path = f"/v1/accounts/{template.organization_id}/templates/{template.public_id}"

    answer = call("PATCH", path, {"lifetimeDays": days}, key=keeper)

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")
    template.refresh_from_db()
    assert template.lifetime_days == 30


def test_such_a_key_may_shorten_it(
    call: ApiClient, make_key: MakeKey, template: KeyTemplate
) -> None:
    keeper = make_key(scopes=["api-keys:manage"])
    path = f"/v1/accounts/{template.organization_id}/templates/{template.public_id}"

    assert call("PATCH", path, {"lifetimeDays": 29}, key=keeper).status == 200


def test_a_key_with_its_scopes_may_make_it_last(
    call: ApiClient, manager: Issued, template: KeyTemplate
) -> None:
    path = f"/v1/accounts/{template.organization_id}/templates/{template.public_id}"

    assert call("PATCH", path, {"lifetimeDays": None}, key=manager).body["lifetimeDays"] is None

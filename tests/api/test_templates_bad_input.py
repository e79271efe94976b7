"""Invalid fields of a template get a 400 that names the field as it was sent."""

from typing import Any

import pytest

from apikeys.models import KeyTemplate
from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.support.api import templates
from tests.support.client import ApiClient

GOOD: dict[str, Any] = {"name": "Good", "scopes": ["search:read"]}
BAD: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": ""}),
    ("name", {"name": None}),
    ("name", {"name": "x" * 101}),
    ("name", {"name": "a\x00b"}),
    ("name", {"name": ["a"]}),
    ("scopes", {"scopes": []}),
    ("scopes", {"scopes": None}),
    ("scopes", {"scopes": "search:read"}),
    ("scopes.0", {"scopes": ["*"]}),
    ("scopes.1", {"scopes": ["search:read", "search:read"]}),
    ("description", {"description": "x" * 501}),
    ("description", {"description": None}),
    ("lifetimeDays", {"lifetimeDays": 0}),
    ("lifetimeDays", {"lifetimeDays": 3651}),
    ("lifetimeDays", {"lifetimeDays": -1}),
    ("lifetimeDays", {"lifetimeDays": 1.5}),
    ("lifetimeDays", {"lifetimeDays": 0.0}),
    ("lifetimeDays", {"lifetimeDays": 10.0**300}),
    ("lifetimeDays", {"lifetimeDays": "30"}),
    ("lifetimeDays", {"lifetimeDays": True}),
    ("lifetimeDays", {"lifetimeDays": 10**400}),
    ("lifetime_days", {"lifetime_days": 30}),
    ("id", {"id": "tpl_0000000000000000000000"}),
    ("createdAt", {"createdAt": "2026-01-01T00:00:00Z"}),
    ("organizationId", {"organizationId": "org_0000000000000000000000"}),
]


@pytest.mark.parametrize(("field", "part"), BAD)
def test_a_bad_field_is_named_and_nothing_is_made(
    call: ApiClient, manager: Issued, acme: Organization, field: str, part: dict[str, Any]
) -> None:
    answer = call("POST", templates(acme), {**GOOD, **part}, key=manager)

    assert (answer.status, answer.fields) == (400, [field])
    assert KeyTemplate.objects.count() == 0


@pytest.mark.parametrize(("field", "part"), BAD)
def test_a_bad_field_is_named_and_nothing_is_changed(
    call: ApiClient, manager: Issued, acme: Organization, field: str, part: dict[str, Any]
) -> None:
    path = f"{templates(acme)}/{TemplateFactory.create(organization=acme).public_id}"
    before = call("GET", path, key=manager).body

    answer = call("PATCH", path, {"description": "changed", **part}, key=manager)

    assert (answer.status, answer.fields) == (400, [field])
    assert call("GET", path, key=manager).body == before

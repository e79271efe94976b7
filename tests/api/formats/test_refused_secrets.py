"""No format of the API repeats a secret that was sent in a text, or stores it."""

from typing import Any

import pytest

from apikeys.models import ApiKey, KeyTemplate
from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.support.client import ApiClient
from tests.support.dialects import ACCOUNT, DIALECTS, Dialect, that_can
from tests.support.domain import SECRET

ALL = (*DIALECTS, ACCOUNT)
CASES = [(dialect, field) for dialect in ALL for field in ("name", "description")]


def _refused(answer: Any, dialect: Dialect, field: str) -> None:
    assert SECRET[:-6].encode() not in answer.raw
    assert SECRET[:-6] not in str(answer.headers)
    assert answer.status == 400
    refusal = dialect.refusal(answer.body)
    if dialect.sends.get(field) or dialect is ACCOUNT:
        assert refusal.names(field)
        assert "This contains an API key." in str(answer.body)


@pytest.mark.parametrize(("dialect", "field"), CASES, ids=str)
def test_creating(
    dialect: Dialect, field: str, call: ApiClient, acme: Organization, manager: Issued
) -> None:
    body = {**dialect.body(name="Good", scopes=["search:read"]), field: f"Key {SECRET}"}

    answer = call("POST", dialect.keys(acme), body, key=manager)

    _refused(answer, dialect, field)
    assert not KeyTemplate.objects.exists()
    assert ApiKey.objects.get() == manager.key


@that_can("update")
@pytest.mark.parametrize("field", ["name", "description"])
def test_changing(
    dialect: Dialect, field: str, call: ApiClient, acme: Organization, manager: Issued
) -> None:
    path = f"{dialect.keys(acme)}/{manager.key.public_id}"

    answer = call("PATCH", path, {field: SECRET}, key=manager)

    _refused(answer, dialect, field)
    assert SECRET not in str(ApiKey.objects.values())


@pytest.mark.parametrize("field", ["name", "description"])
def test_changing_a_template(
    field: str, call: ApiClient, acme: Organization, manager: Issued
) -> None:
    template = TemplateFactory.create(organization=acme)

    answer = call(
        "PATCH", f"{ACCOUNT.keys(acme)}/{template.public_id}", {field: SECRET}, key=manager
    )

    _refused(answer, ACCOUNT, field)
    assert SECRET not in str(KeyTemplate.objects.values())


@pytest.mark.parametrize("dialect", ALL, ids=str)
def test_as_the_name_of_a_field(
    dialect: Dialect, call: ApiClient, acme: Organization, manager: Issued
) -> None:
    body = {**dialect.body(name="Good", scopes=["search:read"]), SECRET: SECRET}

    answer = call("POST", dialect.keys(acme), body, key=manager)

    assert SECRET[:-6].encode() not in answer.raw

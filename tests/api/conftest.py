"""Fixtures for tests of the API."""

from typing import Any

import pytest

from apikeys.services import Issued
from tests.conftest import ALL_SCOPES
from tests.support.api import KEYS, MakeKey, Refuses, stored
from tests.support.client import Answer, ApiClient


@pytest.fixture
def sandbox(make_key: MakeKey) -> Issued:
    """Acme's key with every scope in the test environment."""
    return make_key(name="Sandbox", scopes=ALL_SCOPES, environment="test")


@pytest.fixture
def refuses(call: ApiClient, manager: Issued) -> Refuses:
    """Sends something bad with a good key: 400, the field named, nothing stored, all readable."""
    call("GET", KEYS, key=manager)

    def check(method: str, path: str, body: Any, field: str, **options: Any) -> Answer:
        before = stored()
        answer = call(method, path, body, key=manager, **options)
        assert answer.status == 400, answer.raw
        assert answer.error["type"] == "validation_error"
        assert answer.fields == [field]
        assert answer.error["message"] == answer.error["details"][0]["message"]
        assert answer.error["code"] == answer.error["details"][0]["code"]
        assert stored() == before
        assert call("GET", KEYS, key=manager).status == 200
        return answer

    return check

"""Fixtures in each wire format."""

from collections.abc import Callable
from typing import Any

import pytest

from apikeys.services import Issued
from organizations.models import Organization
from tests.conftest import ALL_SCOPES
from tests.support.api import Refuses, stored
from tests.support.client import Answer, ApiClient
from tests.support.dialects import DIALECTS, Dialect

Send = Callable[..., Answer]


@pytest.fixture(params=DIALECTS, ids=str)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """Each format in turn."""
    found: Dialect = request.param
    return found


@pytest.fixture
def send(call: ApiClient, dialect: Dialect, acme: Organization, manager: Issued) -> Send:
    """Calls an operation of the format; `rest` follows the address of Acme's keys."""

    def ask(method: str, rest: str = "", key: Issued | None = None, **canonical: Any) -> Answer:
        body = dialect.body(**canonical) if method in ("POST", "PATCH") else None
        return call(method, dialect.keys(acme) + rest, body, key=key or manager)

    return ask


@pytest.fixture
def limited(make_key: Callable[..., Issued]) -> Issued:
    """A key that may manage keys and holds but one other scope."""
    return make_key(name="Limited", scopes=["search:read", ALL_SCOPES[-1]])


@pytest.fixture
def refuses(call: ApiClient, dialect: Dialect, acme: Organization, manager: Issued) -> Refuses:
    """Sends something bad with a good key: 400, the field named, nothing stored, all readable."""
    keys = dialect.keys(acme)
    call("GET", keys, key=manager)

    def check(method: str, rest: str, body: Any, field: str, **options: Any) -> Answer:
        before = stored()
        answer = call(method, keys + rest, body, key=manager, **options)
        assert answer.status == 400, answer.raw
        assert answer.refusal.type in ("validation_error", None)
        assert answer.refusal.names(field), answer.raw
        assert stored() == before
        assert call("GET", keys, key=manager).status == 200
        return answer

    return check

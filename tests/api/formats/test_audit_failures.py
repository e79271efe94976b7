"""An operation without its audit event changes nothing, and the caller is asked to retry."""

import pytest

from apikeys.models import ApiKey
from apikeys.services import Issued
from tests.api.formats.conftest import Send
from tests.support.api import MakeKey
from tests.support.client import Answer, ApiClient
from tests.support.dialects import Dialect
from tests.support.domain import nothing_written, unwritable_trail

pytestmark = pytest.mark.django_db


def _is_to_be_tried_again(answer: Answer) -> None:
    assert answer.status == 503, answer.raw
    assert answer.headers["Retry-After"] == "5"
    assert answer.refusal.code in ("unavailable", None)
    assert b"no_event" not in answer.raw


@pytest.mark.parametrize("operation", ["create", "update", "rotate", "revoke"])
def test_an_operation_without_its_event_is_503(
    send: Send, dialect: Dialect, make_key: MakeKey, operation: str
) -> None:
    if operation not in dialect.can:
        pytest.skip("not in this format")
    send("GET")  # notes the use of the key, which each of them would
    rest = f"/{dialect.id_of(make_key(name='Old').key)}"
    calls = {
        "create": lambda: send("POST", name="New", scopes=["search:read"]),
        "update": lambda: send("PATCH", rest, name="New"),
        "rotate": lambda: send("POST", f"{rest}/rotate"),
        "revoke": lambda: send("DELETE", rest),
    }

    with nothing_written(), unwritable_trail():
        answer = calls[operation]()

    _is_to_be_tried_again(answer)
    assert calls[operation]().status < 300


def test_several_events_in_one_statement(
    call: ApiClient, manager: Issued, make_key: MakeKey
) -> None:
    keys = [make_key(name=name).key for name in ("One", "Two")]
    body = {"ids": [key.public_id for key in keys]}
    call("GET", "/v1/api-keys", key=manager)

    with nothing_written(), unwritable_trail():
        answer = call("POST", "/v1/api-keys/revoke", body, key=manager)

    _is_to_be_tried_again(answer)
    assert ApiKey.objects.filter(revoked_at=None).count() == 3

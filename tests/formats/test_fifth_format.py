"""A fifth format is a file of data, a line of routing and its tests; nothing else changes."""

import pytest
from django.urls import include, path

from apikeys.api.urls import keys
from apikeys.api.wire import WireFormat
from apikeys.services import Issued
from config import urls
from tests.client import ApiClient

#: Everything that the format of a small shop differs in.
SHOP = WireFormat(
    names={"name": "label", "expires_at": "until", "key": "token"},
    shows={"read": ("id", "name", "expires_at"), "create": ("id", "name", "key")},
    takes={"create": ("name", "expires_at"), "update": ("name",), "rotate": ()},
    requires={"create": ("name",)},
    id_of=lambda prefix, value: value.hex,
    listing=lambda items, next_cursor: {"tokens": items},
    answer=lambda data, request_id: {"ok": True, **data},
    error=lambda failure, request_id: {"ok": False, "why": failure.message},
)
urlpatterns = [*keys("shop/tokens", SHOP), path("", include(urls))]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture
def token(call: ApiClient, manager: Issued) -> str:
    made = call("POST", "/shop/tokens", {"label": "Till"}, key=manager)
    assert (made.status, set(made.body)) == (201, {"ok", "id", "label", "token"})
    secret: str = made.body["token"]
    return secret


def test_it_makes_lists_reads_changes_and_revokes(
    call: ApiClient, manager: Issued, token: str
) -> None:
    listed = call("GET", "/shop/tokens", key=manager).body
    changed = call("PATCH", "/shop/tokens/current", {"label": "x"}, key=manager)
    current = call("GET", "/shop/tokens/current", key=token).body

    assert [item["label"] for item in listed["tokens"]] == ["Till", "Manager"]
    assert changed.status == 405
    assert (current["label"], current["until"]) == ("Till", None)


def test_it_refuses_in_its_own_words(call: ApiClient, manager: Issued) -> None:
    assert call("GET", "/shop/tokens").body["ok"] is False
    answer = call("POST", "/shop/tokens", {"name": "Till"}, key=manager)

    assert (answer.status, answer.body) == (400, {"ok": False, "why": "There is no such field."})


def test_it_is_subject_to_the_same_rules(call: ApiClient, reader: Issued, manager: Issued) -> None:
    assert call("GET", "/shop/tokens", key=reader).status == 403
    assert call("POST", "/shop/tokens", {"label": "Manager"}, key=manager).status == 409

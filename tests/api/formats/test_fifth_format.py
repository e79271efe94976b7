"""Adding a format takes a data file, a route and its tests. Nothing else changes."""

from collections.abc import Iterator

import pytest
from django.urls import include, path
from openapi_spec_validator import validate

from apikeys.api import error_responses
from apikeys.api.formats import registry
from apikeys.api.formats.base import WireFormat
from apikeys.api.formats.registry import MOUNTS, Mount
from apikeys.api.urls import patterns
from apikeys.services import Issued
from config import urls
from tests.support.client import ApiClient

#: Everything that the format of a small shop differs in.
SHOP = WireFormat(
    names={"name": "label", "expires_at": "until", "key": "token"},
    shows={"read": ("id", "name", "expires_at"), "create": ("id", "name", "key")},
    takes={"create": ("name", "expires_at"), "update": ("name",), "rotate": ()},
    requires={"create": ("name",)},
    id_of=lambda prefix, value: value.hex,
    listing=lambda items, next_cursor: {"tokens": items},
    success_body=lambda data, request_id: {"ok": True, **data},
    error=lambda failure, request_id: {"ok": False, "why": failure.message},
    example_responses={"read": {"id": "0189d1f2", "label": "Till", "until": None}},
    error_schema={"type": "object", "properties": {"ok": {"const": False}, "why": {}}},
)
#: The one line of routing.
LINE = Mount("shop", "tokens", SHOP, "Tokens of a shop")
urlpatterns = [*patterns([LINE]), path("", include(urls))]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def fifth(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The line, where the others are."""
    monkeypatch.setattr(registry, "MOUNTS", (*MOUNTS, LINE))
    for kept in (error_responses.formats, error_responses._prefixed):
        kept.cache_clear()
    yield
    monkeypatch.undo()
    for kept in (error_responses.formats, error_responses._prefixed):
        kept.cache_clear()


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

    assert (answer.status, answer.body) == (400, {"ok": False, "why": "Unknown field."})


@pytest.mark.parametrize("path", ["/shop", "/shop/", "/shop/nowhere", "/shop/tokens/"])
def test_what_is_no_address_is_refused_in_its_words(call: ApiClient, path: str) -> None:
    answer = call("POST", path, {})

    assert (answer.status, answer.body) == (404, {"ok": False, "why": "No such resource."})
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_has_a_schema(call: ApiClient) -> None:
    schema = call("GET", "/shop/openapi.json").body

    validate(schema)
    assert (
        "label"
        in schema["paths"]["/shop/tokens"]["post"]["requestBody"]["content"]["application/json"][
            "schema"
        ]["properties"]
    )


def test_it_is_subject_to_the_same_rules(call: ApiClient, reader: Issued, manager: Issued) -> None:
    assert call("GET", "/shop/tokens", key=reader).status == 403
    assert call("POST", "/shop/tokens", {"label": "Manager"}, key=manager).status == 409

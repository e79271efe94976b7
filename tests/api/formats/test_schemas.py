"""The OpenAPI schemas are valid, committed, public and complete."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from apikeys.api import urls
from apikeys.api.openapi.operations import COMMON_ERRORS
from apikeys.api.urls import SCHEMAS, schema_at
from apikeys.management.commands.write_schemas import file_name
from config.env import ROOT
from tests.support.client import ApiClient

ADDRESSES = list(SCHEMAS)
FOLDER = ROOT / "docs/schemas"
READING = {"get": "list", "post": "create"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_openapi(address: str) -> None:
    validate(schema_at(address))


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """The value and all in it that could be a schema; examples are none."""
    if isinstance(value, dict):
        yield value
        for name, item in value.items():
            if name not in ("example", "examples"):
                yield from _parts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)


@pytest.mark.parametrize("address", ADDRESSES)
def test_generators_of_clients_do_not_stop_at_it(address: str) -> None:
    """What openapi-generator and others take for a type that they do not know.

    `tests/contract/test_generators.py` runs it where Java is installed.
    """
    parts = list(_parts(schema_at(address)))

    assert [part for part in parts if part.get("type") in ("null", ["null"])] == []
    several = [part["type"] for part in parts if isinstance(part.get("type"), list)]
    assert [types for types in several if len(types) != 2 or types[1] != "null"] == []
    unknown = {"anyOf", "oneOf", "allOf", "not", "if", "prefixItems", "patternProperties", "$defs"}
    assert [part for part in parts if unknown & part.keys()] == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_as_committed(address: str) -> None:
    committed = json.loads((FOLDER / file_name(address)).read_text())

    assert schema_at(address) == committed, "“make schemas” writes them anew"


def test_no_other_is_committed() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {file_name(a) for a in ADDRESSES}


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_served_to_everybody(call: ApiClient, address: str) -> None:
    # Without the `db` fixture a query would fail.
    as_json = call("GET", f"/{address}.json")
    as_yaml = call("GET", f"/{address}.yaml")

    assert as_json.status == as_yaml.status == 200
    assert as_json.body == schema_at(address) == yaml.safe_load(as_yaml.raw)
    assert as_yaml.headers["Content-Type"] == "application/yaml"


@pytest.mark.parametrize("kind", ["json", "yaml"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_only_read(call: ApiClient, address: str, kind: str) -> None:
    answer = call("POST", f"/{address}.{kind}", {})

    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.refusal.message


def test_every_operation_is_in_one_of_them() -> None:
    documented = {
        (method, path)
        for address in ADDRESSES
        for path, operations in schema_at(address)["paths"].items()
        for method in operations
        if method != "parameters"
    }
    routed = {
        (method, "/" + re.sub("<str:([a-z_]+)>", r"{\1}", str(pattern.pattern)))
        for pattern in urls.urlpatterns
        for method in getattr(pattern.callback, "actions", None) or {}
        if method != "head"
    }

    assert documented == routed


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_operation_names_its_statuses_and_headers(address: str) -> None:
    for path, operations in schema_at(address)["paths"].items():
        for method in set(operations) - {"parameters"}:
            responses = operations[method]["responses"]
            assert {str(status) for status in COMMON_ERRORS} <= set(responses), (method, path)
            assert all("X-Request-Id" in answer["headers"] for answer in responses.values())
            assert "Retry-After" in responses["429"]["headers"]
            assert "WWW-Authenticate" in responses["401"]["headers"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_an_example_that_is_possible(address: str) -> None:
    document = schema_at(address)
    for operations in document["paths"].values():
        for method in set(operations) - {"parameters"}:
            for status, answer in operations[method]["responses"].items():
                if status != "204":
                    _require_possible(document, answer["content"]["application/json"])


def _require_possible(document: dict[str, Any], content: dict[str, Any]) -> None:
    schema, example = content["schema"], content["example"]
    if "$ref" in schema:
        schema = document["components"]["schemas"]["Error"]
    Draft202012Validator(schema).validate(example)
    names = schema.get("properties") or schema["items"]["properties"]
    assert set(_first(example)) <= set(names)


def _first(example: Any) -> dict[str, Any]:
    found: dict[str, Any] = example[0] if isinstance(example, list) else example
    return found


#: What the source documents' own examples show.
SHOWN: dict[tuple[str, str, str], dict[str, Any]] = {
    ("v1/openapi", "/v1/api-keys", "post"): {
        "object": "api_key",
        "name": "Analytics Dashboard",
        "key": "sig_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0",
        "prefix": "sig_live_a1b2",
        "scopes": ["trademarks:read", "search:read", "events:read"],
        "created_at": "2026-03-24T16:00:00Z",
        "expires_at": None,
        "livemode": True,
        "request_id": "req_wP2gH8iJ",
    },
    ("v1/openapi", "/v1/api-keys/{id}", "get"): {
        "object": "api_key",
        "name": "Production server",
        "key_prefix": "sig_live_a1b2",
        "key_type": "live",
        "scopes": ["trademarks:read", "search:read", "portfolios:manage"],
        "rate_limit_tier": "standard",
        "metadata": {"environment": "production"},
        "last_used_at": "2026-04-09T18:12:00Z",
        "expires_at": None,
        "created_at": "2025-12-01T10:00:00Z",
        "revoked_at": None,
        "livemode": True,
    },
    ("envelope/v1/openapi", "/envelope/v1/api-keys", "post"): {"code": 200, "message": "success"},
    ("api/v1/openapi", "/api/v1/workspaces/{workspace_id}/api-keys", "post"): {
        "id": "550e8400-e29b-41d4-a716-446655440000",
        "workspace_id": "660e8400-e29b-41d4-a716-446655440000",
        "name": "CI/CD Pipeline Key",
        "key": "sk_live_abc123def456ghi789...",
        "key_prefix": "sk_live_abc1",
        "status": "active",
        "created_by": "770e8400-e29b-41d4-a716-446655440000",
        "created_at": "2024-01-15T09:30:00Z",
        "updated_at": "2024-01-15T09:30:00Z",
    },
}


@pytest.mark.parametrize(("place", "shown"), SHOWN.items(), ids=str)
def test_the_example_of_an_answer_is_that_of_its_document(
    place: tuple[str, str, str], shown: dict[str, Any]
) -> None:
    address, path, method = place
    responses = schema_at(address)["paths"][path][method]["responses"]
    example = next(iter(responses.values()))["content"]["application/json"]["example"]

    assert {name: example[name] for name in shown} == shown


@pytest.mark.parametrize("address", ADDRESSES[:3])
def test_the_examples_are_those_of_the_documents(address: str) -> None:
    paths = schema_at(address)["paths"]
    body = next(iter(paths.values()))["post"]["requestBody"]["content"]["application/json"]

    assert body["example"]["name"] in ("Analytics Dashboard", "CI", "CI/CD Pipeline Key")

"""The schemas: valid, as committed, served to everybody, and complete."""

import json
import re

import pytest
import yaml
from openapi_spec_validator import validate

from apikeys.api import urls
from apikeys.api.schema.operations import ALWAYS
from apikeys.api.urls import SCHEMAS, schema_at
from apikeys.management.commands.write_schemas import file_name
from config.env import ROOT
from tests.client import ApiClient

ADDRESSES = list(SCHEMAS)
FOLDER = ROOT / "docs/schemas"
READING = {"get": "list", "post": "create"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_openapi(address: str) -> None:
    validate(schema_at(address))


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
            assert {str(status) for status in ALWAYS} <= set(responses), (method, path)
            assert all("X-Request-Id" in answer["headers"] for answer in responses.values())
            assert "Retry-After" in responses["429"]["headers"]
            assert "WWW-Authenticate" in responses["401"]["headers"]


@pytest.mark.parametrize("address", ADDRESSES[:3])
def test_the_examples_are_those_of_the_documents(address: str) -> None:
    paths = schema_at(address)["paths"]
    body = next(iter(paths.values()))["post"]["requestBody"]["content"]["application/json"]

    assert body["example"]["name"] in ("Analytics Dashboard", "CI", "CI/CD Pipeline Key")

"""The document of one wire format: paths, parameters and bodies."""

import re
from collections.abc import Iterable
from typing import Any

from django.urls import URLPattern

from apikeys.api.formats.base import WireFormat
from apikeys.api.openapi.field_schemas import PARAMETERS, object_schema, request_fields
from apikeys.api.openapi.operations import OPERATIONS, Operation
from apikeys.api.openapi.responses import responses
from apikeys.api.viewsets.idempotency import HEADER


def document(title: str, wire: WireFormat, routes: Iterable[URLPattern]) -> dict[str, Any]:
    """OpenAPI 3.1 of the routes of `wire`, in their order."""
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": dict(_path(str(route.pattern), route.callback, wire) for route in routes),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": wire.error_schema},
        },
    }


def _path(route: str, view: Any, wire: WireFormat) -> tuple[str, dict[str, Any]]:
    operations = OPERATIONS[view.cls]
    path: dict[str, Any] = {
        method: _operation(operations[action], wire, route)
        for method, action in view.actions.items()
        if method != "head"
    }
    names = re.findall("<str:([a-z_]+)>", route)
    if names:
        path["parameters"] = [_parameter(name, "path", {"type": "string"}) for name in names]
    return "/" + re.sub("<str:([a-z_]+)>", r"{\1}", route), path


def _operation(operation: Operation, wire: WireFormat, route: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{operation.name}_{operation.noun}{'s' if operation.returns_list else ''}",
        "summary": operation.summary,
        "tags": [f"{operation.noun.capitalize()}s"],
        "responses": responses(operation, wire, route),
    }
    parameters = _parameters(operation, wire)
    if parameters:
        described["parameters"] = parameters
    if operation.has_body:
        described["requestBody"] = _request_body(operation, wire)
    return described


def _parameters(operation: Operation, wire: WireFormat) -> list[dict[str, Any]]:
    parameters = []
    if wire.has_pages:
        parameters += [_parameter(name, "query", PARAMETERS[name]) for name in operation.query]
    if operation.has_idempotency_key:
        parameters.append(_parameter(HEADER, "header", PARAMETERS[HEADER]))
    if wire.organization_header:
        parameters.append(_parameter(wire.organization_header, "header", {"type": "string"}))
    return parameters


def _parameter(name: str, place: str, schema: Any) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _request_body(operation: Operation, wire: WireFormat) -> dict[str, Any]:
    name, required = operation.name, wire.requires.get(operation.name, ())
    schema = object_schema(wire, wire.takes[name], request_fields(), required)
    schema |= {"additionalProperties": False, "title": f"{operation.title}Body"}
    content: dict[str, Any] = {"schema": schema}
    if name in wire.examples:
        content["example"] = wire.examples[name]
    return {"required": bool(required), "content": {"application/json": content}}

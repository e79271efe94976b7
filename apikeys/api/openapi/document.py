"""The document of one format, from its routes, its data and the vocabulary."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.urls import URLPattern

from apikeys.api.formats.base import WireFormat
from apikeys.api.openapi import examples
from apikeys.api.openapi.fields import PARAMETERS, Schema, shown, taken
from apikeys.api.openapi.operations import CAUSES, OPERATIONS, Operation, failures
from apikeys.api.viewsets import TemplateViewSet
from apikeys.api.viewsets.idempotency import HEADER, REPLAYED

_HEADERS: Final = {
    "X-Request-Id": {"schema": {"type": "string"}, "description": "The id of the request."},
    "Cache-Control": {"schema": {"type": "string"}, "description": "Always no-store."},
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": (
            'The limit of the key: "tier";q=requests;w=seconds; then, after a comma, that of its'
            ' organization, called "organization". Not without a key.'
        ),
    },
    "RateLimit": {
        "schema": {"type": "string"},
        "description": (
            'Where both stand: "tier";r=requests left;t=seconds until the window ends; then,'
            ' after a comma, the same of "organization".'
        ),
    },
}
_MORE_HEADERS: Final[dict[int, str]] = {
    201: "Location",
    401: "WWW-Authenticate",
    429: "Retry-After",
    503: "Retry-After",
}


_IN_PROGRESS_HEADER: Final = {
    "schema": {"type": "string"},
    "description": "Only while a call with the same Idempotency-Key is under way.",
}
_REPLAYED_HEADER: Final = {
    "schema": {"type": "string", "const": "true"},
    "description": "Only where the same call was answered before; the secret is not there then.",
}


def document(title: str, wire: WireFormat, routes: Iterable[URLPattern]) -> dict[str, Any]:
    """OpenAPI 3.1 of the routes that speak `wire`, in the order of the routes."""
    paths: dict[str, Any] = {}
    for pattern in routes:
        view: Any = pattern.callback
        if getattr(view, "initkwargs", {}).get("wire") is wire:
            paths["/" + _readable(str(pattern.pattern))] = _path(pattern, wire)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": wire.error_schema},
        },
    }


def _readable(route: str) -> str:
    return re.sub("<str:([a-z_]+)>", r"{\1}", route)


def _path(pattern: URLPattern, wire: WireFormat) -> dict[str, Any]:
    route, view = str(pattern.pattern), vars(pattern.callback)
    names = re.findall("<str:([a-z_]+)>", route)
    path: dict[str, Any] = {
        method: _operation(OPERATIONS[action], wire, route, view["cls"])
        for method, action in view["actions"].items()
        if method != "head"
    }
    if names:
        path["parameters"] = [_parameter(name, "path", {"type": "string"}) for name in names]
    return path


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _parameter(name: str, place: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _operation(operation: Operation, wire: WireFormat, route: str, viewset: type) -> dict[str, Any]:
    noun = "template" if viewset is TemplateViewSet else "key"
    status, body = _success(operation, wire, noun)
    responses = {str(status): body}
    for failure in failures(operation, wire, route, noun):
        schema = {"$ref": "#/components/schemas/Error"}
        example = examples.failure(wire, failure)
        responses[str(failure)] = _response(failure, CAUSES[failure], schema, example)
    if operation.is_repeatable(noun):
        responses["409"]["headers"]["Retry-After"] = _IN_PROGRESS_HEADER
    described: dict[str, Any] = {
        "operationId": f"{operation.name}_{noun}{'s' if operation.many else ''}",
        "summary": operation.summary,
        "tags": [f"{noun.capitalize()}s"],
        "responses": responses,
    }
    parameters = _parameters(operation, wire, noun)
    if parameters:
        described["parameters"] = parameters
    if operation.body:
        described["requestBody"] = _body(operation, wire)
    return described


def _parameters(operation: Operation, wire: WireFormat, noun: str) -> list[dict[str, Any]]:
    names: tuple[str, ...] = ()
    if operation.name == "usage":
        names = ("from", "to", "interval")
    elif operation.name == "list" and noun == "template":
        names = ("pageIndex", "pageSize")
    elif operation.name == "list" and wire.has_pages:
        names = ("limit", "cursor", "status", "name")
    found = [_parameter(name, "query", PARAMETERS[name]) for name in names]
    if operation.is_repeatable(noun):
        found.append(_parameter(HEADER, "header", PARAMETERS[HEADER]))
    if wire.organization_header:
        found.append(_parameter(wire.organization_header, "header", {"type": "string"}))
    return found


def _body(operation: Operation, wire: WireFormat) -> dict[str, Any]:
    name, required = operation.name, wire.requires.get(operation.name, ())
    schema = _object(wire, wire.takes[name], taken(), required)
    schema |= {"additionalProperties": False, "title": f"{_title(name)}Body"}
    content: dict[str, Any] = {"schema": schema}
    if name in wire.examples:
        content["example"] = wire.examples[name]
    return {"required": bool(required), "content": {"application/json": content}}


def _object(
    wire: WireFormat, names: tuple[str, ...], schemas: Any, required: Iterable[str]
) -> dict[str, Any]:
    properties = {wire.name(name): schemas[name] for name in names}
    found: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        found["required"] = [wire.name(name) for name in required]
    return found


def _success(operation: Operation, wire: WireFormat, noun: str) -> tuple[int, dict[str, Any]]:
    if noun == "template" and operation.name == "revoke":
        return 204, {"description": "It is gone.", "headers": _headers(204)}
    names = required = wire.shown(operation.name)
    if operation.is_repeatable(noun):
        again = wire.shown("again")
        required = tuple(name for name in names if name in again)
        names = (*names, *(name for name in again if name not in names))
    one = _object(wire, names, shown(), required)
    if operation.many:
        is_list = operation.name == "list"
        # Generated clients need a name of its own for each.
        one["title"] = noun.capitalize() if is_list else f"Revoked{noun.capitalize()}"
        one = (wire.listing_schema if is_list else wire.several_schema)(one)
    frame: Callable[[Any], Any] = wire.answer_schema
    schema = {**frame(one), "title": f"{_title(operation.name)}{noun.capitalize()}Answer"}
    status = wire.created if operation.name == "create" else 200
    example = examples.success(wire, operation.name)
    response = _response(status, "It is done.", schema, example)
    if operation.is_repeatable(noun):
        response["headers"][REPLAYED] = _REPLAYED_HEADER
    return status, response


def _response(status: int, description: str, schema: Any, example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"description": description, "headers": _headers(status), "content": content}


def _headers(status: int) -> dict[str, Any]:
    extra = _MORE_HEADERS.get(status)
    return {**_HEADERS, **({extra: {"schema": {"type": "string"}}} if extra else {})}

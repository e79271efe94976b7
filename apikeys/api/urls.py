"""The URLs of the API. Any other path under its prefixes is a 404 in JSON."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from apikeys.api.error_responses import error_response
from apikeys.api.formats.registry import MOUNTS, Mount
from apikeys.api.openapi import document
from apikeys.api.openapi.views import serve
from apikeys.api.viewsets import ApiKeyViewSet, TemplateViewSet

_ONE: Final = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_TEMPLATES: Final[Mapping[str, Mapping[str, str]]] = {
    "": {"get": "list", "post": "create"},
    "/<str:id>": _ONE,
}
_KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "": {"get": "list", "post": "create"},
    "/current": {"get": "current"},
    "/revoke": {"post": "revoke_many"},
    "/<str:id>": _ONE,
    "/<str:id>/rotate": {"post": "rotate"},
    "/<str:id>/usage": {"get": "usage"},
}
_RESOURCES: Final[Mapping[str, tuple[Any, Mapping[str, Mapping[str, str]]]]] = {
    "keys": (ApiKeyViewSet, _KEYS),
    "templates": (TemplateViewSet, _TEMPLATES),
}


def _routes(mount: Mount) -> list[URLPattern]:
    """The routes of the actions that a format serves."""
    viewset, paths = _RESOURCES[mount.resource]
    routes = []
    for rest, methods in paths.items():
        actions = {method: act for method, act in methods.items() if act in mount.actions}
        if actions:
            view = viewset.as_view(actions, wire=mount.wire)
            routes.append(path(f"{mount.base}/{mount.collection}{rest}", view))
    return routes


@csrf_exempt  # it changes nothing, and must respond the same to every method
def _not_found(request: Any, **_: Any) -> HttpResponseBase:
    return error_response(request, 404)


def _schema(mount: Mount) -> dict[str, Any]:
    return document(mount.title, mount.wire, _routes(mount))


def patterns(formats: Iterable[Mount]) -> list[URLPattern]:
    """Routes and schemas of the formats, and a 404 for any other path under their roots."""
    formats = list(formats)
    roots = "|".join(dict.fromkeys(mount.root.removeprefix("/") for mount in formats))
    return [
        *(route for mount in formats for route in _routes(mount)),
        *(
            path(
                f"{mount.base}/openapi.{kind}",
                serve,
                {"make": partial(_schema, mount), "kind": kind},
            )
            for mount in formats
            for kind in ("json", "yaml")
        ),
        re_path(rf"^(?:{roots})(?:/.*)?$", _not_found),
    ]


#: Path of a schema, without its suffix → the format that it describes.
SCHEMAS: Final = {f"{mount.base}/openapi": mount for mount in MOUNTS}


def schema_at(address: str) -> dict[str, Any]:
    """The OpenAPI document at a path of `SCHEMAS`."""
    return _schema(SCHEMAS[address])


urlpatterns = patterns(MOUNTS)

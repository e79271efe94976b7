"""The addresses of the API. Whatever else lies under its prefixes is a 404 in JSON."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from apikeys.api.error_responses import answer_status
from apikeys.api.formats.account import ACCOUNT
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


def _routes(spoken: Mount) -> list[URLPattern]:
    """The operations that a format offers, in its shapes."""
    viewset: Any = TemplateViewSet if spoken.wire is ACCOUNT else ApiKeyViewSet
    routes = []
    for rest, methods in (_TEMPLATES if viewset is TemplateViewSet else _KEYS).items():
        chosen = {method: act for method, act in methods.items() if act in spoken.actions}
        if chosen:
            view = viewset.as_view(chosen, wire=spoken.wire)
            routes.append(path(f"{spoken.base}/{spoken.collection}{rest}", view))
    return routes


@csrf_exempt  # there is nothing to forge, and the answer is to be the same for every method
def _not_found(request: Any, **_: Any) -> HttpResponseBase:
    return answer_status(request, 404)


def _schema(spoken: Mount) -> dict[str, Any]:
    return document(spoken.title, spoken.wire, _routes(spoken))


def patterns(formats: Iterable[Mount]) -> list[URLPattern]:
    """Operations and schemas of the formats, and a 404 for everything beside them."""
    formats = list(formats)
    roots = "|".join(dict.fromkeys(spoken.root.removeprefix("/") for spoken in formats))
    return [
        *(route for spoken in formats for route in _routes(spoken)),
        *(
            path(
                f"{spoken.base}/openapi.{kind}",
                serve,
                {"make": partial(_schema, spoken), "kind": kind},
            )
            for spoken in formats
            for kind in ("json", "yaml")
        ),
        re_path(rf"^(?:{roots})(?:/.*)?$", _not_found),
    ]


#: Address of a schema, without its ending → the format that it describes.
SCHEMAS: Final = {f"{spoken.base}/openapi": spoken for spoken in MOUNTS}


def schema_at(address: str) -> dict[str, Any]:
    """The OpenAPI document of an address of `SCHEMAS`."""
    return _schema(SCHEMAS[address])


urlpatterns = patterns(MOUNTS)

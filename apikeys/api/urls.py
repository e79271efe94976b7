"""The addresses of the API. Whatever else lies under its prefixes is a 404 in JSON."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt

from apikeys.api.fallbacks import answer_status
from apikeys.api.formats.account import ACCOUNT
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.formats.envelope import ENVELOPE
from apikeys.api.formats.workspace import WORKSPACE
from apikeys.api.schema import document
from apikeys.api.schema.views import serve
from apikeys.api.viewsets import ApiKeyViewSet, TemplateViewSet
from apikeys.api.wire import WireFormat

_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}


def keys(prefix: str, wire: WireFormat) -> list[URLPattern]:
    """Every operation on keys, in the shapes of a format."""

    def view(**methods: str) -> Callable[..., HttpResponseBase]:
        return ApiKeyViewSet.as_view({**methods}, wire=wire)

    return [
        path(prefix, view(get="list", post="create")),
        path(f"{prefix}/current", view(get="current")),
        path(f"{prefix}/<str:id>", view(**_ONE)),
        path(f"{prefix}/<str:id>/rotate", view(post="rotate")),
        path(f"{prefix}/<str:id>/usage", view(get="usage")),
    ]


def _workspace(**methods: str) -> Callable[..., HttpResponseBase]:
    return ApiKeyViewSet.as_view({**methods}, wire=WORKSPACE)


def _templates(**methods: str) -> Callable[..., HttpResponseBase]:
    return TemplateViewSet.as_view({**methods}, wire=ACCOUNT)


@csrf_exempt  # there is nothing to forge, and the answer is to be the same for every method
def _not_found(request: Any, **_: Any) -> HttpResponseBase:
    return answer_status(request, 404)


_TEMPLATES = "v1/accounts/<str:account_id>/templates"
_WORKSPACE = "api/v1/workspaces/<str:workspace_id>/api-keys"

_SPOKEN: list[URLPattern] = [
    *keys("v1/api-keys", CANONICAL),
    *keys("envelope/v1/api-keys", ENVELOPE),
    path(_WORKSPACE, _workspace(get="list", post="create")),
    path(f"{_WORKSPACE}/<str:id>", _workspace(delete="destroy")),
    path(_TEMPLATES, _templates(get="list", post="create")),
    path(f"{_TEMPLATES}/<str:id>", _templates(**_ONE)),
]
#: Address → what the schema there is called and which format it describes.
SCHEMAS = {
    "v1/openapi": ("Keys", CANONICAL),
    "envelope/v1/openapi": ("Keys in the envelope format", ENVELOPE),
    "api/v1/openapi": ("Keys in the workspace format", WORKSPACE),
    "v1/accounts/openapi": ("Templates of an account", ACCOUNT),
}


def schema_at(address: str) -> dict[str, Any]:
    """The OpenAPI document of an address of `SCHEMAS`."""
    title, wire = SCHEMAS[address]
    return document(title, wire, _SPOKEN)


urlpatterns = [
    *_SPOKEN,
    *(
        path(f"{address}.{kind}", serve, {"make": partial(schema_at, address), "kind": kind})
        for address in SCHEMAS
        for kind in ("json", "yaml")
    ),
    re_path(r"^(?:v1|api|envelope)(?:/.*)?$", _not_found),
]

"""The addresses of the API. Whatever else lies under its prefixes is a 404 in JSON."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from apikeys.api.fallbacks import answer_status
from apikeys.api.formats.account import ACCOUNT
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.viewsets import ApiKeyViewSet, TemplateViewSet


def _keys(**methods: str) -> Callable[..., HttpResponseBase]:
    return ApiKeyViewSet.as_view({**methods}, wire=CANONICAL)


def _templates(**methods: str) -> Callable[..., HttpResponseBase]:
    return TemplateViewSet.as_view({**methods}, wire=ACCOUNT)


@csrf_exempt  # there is nothing to forge, and the answer is to be the same for every method
def _not_found(request: Any, **_: Any) -> HttpResponseBase:
    return answer_status(request, 404)


_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_TEMPLATES = "v1/accounts/<str:account_id>/templates"

urlpatterns = [
    path("v1/api-keys", _keys(get="list", post="create")),
    path("v1/api-keys/current", _keys(get="current")),
    path("v1/api-keys/<str:id>", _keys(**_ONE)),
    path("v1/api-keys/<str:id>/rotate", _keys(post="rotate")),
    path(_TEMPLATES, _templates(get="list", post="create")),
    path(f"{_TEMPLATES}/<str:id>", _templates(**_ONE)),
    re_path(r"^(?:v1|api|envelope)(?:/.*)?$", _not_found),
]

"""Serves a schema to everybody, as JSON and as YAML."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import yaml
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from apikeys.api.error_responses import answer_status

_YAML: Final = "application/yaml"


@csrf_exempt  # it only reads, and its refusals are the API's own
def serve(request: HttpRequest, make: Callable[[], dict[str, Any]], kind: str) -> HttpResponse:
    """The document; 405 in the format's shape for whatever does not read."""
    if request.method not in ("GET", "HEAD"):
        refused = answer_status(request, HTTPStatus.METHOD_NOT_ALLOWED)
        refused["Allow"] = "GET, HEAD"
        return refused
    if kind == "json":
        return JsonResponse(make(), json_dumps_params={"indent": 2})
    return HttpResponse(yaml.safe_dump(make(), sort_keys=False), content_type=_YAML)

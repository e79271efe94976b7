"""Serves the OpenAPI schemas as JSON and YAML, without authentication."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import yaml
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from apikeys.api.error_responses import error_response

_YAML: Final = "application/yaml"
#: Anyone can request a schema. The largest takes 18 ms of CPU with libyaml, 81 without.
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@csrf_exempt  # it only reads, and its errors have the format's shape
def serve(request: HttpRequest, make: Callable[[], dict[str, Any]], kind: str) -> HttpResponse:
    """The schema, or 405 in the format's shape for methods other than GET and HEAD."""
    if request.method not in ("GET", "HEAD"):
        refused = error_response(request, HTTPStatus.METHOD_NOT_ALLOWED)
        refused["Allow"] = "GET, HEAD"
        return refused
    if kind == "json":
        return JsonResponse(make(), json_dumps_params={"indent": 2})
    text = yaml.dump(make(), Dumper=_DUMPER, sort_keys=False)
    return HttpResponse(text, content_type=_YAML)

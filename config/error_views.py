"""Error responses outside the viewsets: JSON for API paths, a page elsewhere."""

import sys
from http import HTTPStatus

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apikeys.api.error_responses import answer_status, is_api
from apikeys.api.errors import RETRY_SECONDS
from core.exceptions import Busy
from core.request_context import request_context_of
from organizations.pages.base import with_retry


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: an unknown host, a malformed request."""
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without a valid token; the reason is for the log that Django writes."""
    context = {"request_id": request_context_of(request).request_id}
    return render(request, "403_csrf.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _answer(request, 404)


def too_large(request: HttpRequest) -> HttpResponse:
    """413: a page was sent more than it takes."""
    return _answer(request, 413)


def headers_too_large(request: HttpRequest) -> HttpResponse:
    """431: the headers, such as those of cookies, are larger than any that are needed."""
    return _answer(request, 431)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429: too many attempts at something that allauth counts."""
    return _answer(request, 429)


def busy(request: HttpRequest, refusal: Busy) -> HttpResponse:
    """429: too many like it are in progress."""
    context = {"refusal": refusal, "request_id": request_context_of(request).request_id}
    return with_retry(render(request, "429.html", context), refusal)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a defect, or 503: the database is away. The log has the traceback under the id."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    return _answer(request, 503 if away else 500)


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    if is_api(request.path):
        return answer_status(request, status)
    context = {"request_id": request_context_of(request).request_id}
    response = render(request, f"{status}.html", context, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = RETRY_SECONDS
    return response

"""Error responses outside the API's views: JSON for API paths, an HTML page for others."""

import sys
from http import HTTPStatus
from typing import Any

from django.db import Error as DatabaseErrors
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apikeys.api.error_responses import error_response, is_api
from apikeys.api.errors import RETRY_SECONDS
from core.exceptions import Busy
from core.request_context import request_context_of
from organizations.pages.base import with_retry
from organizations.pages.context import frame_of
from organizations.roles import Role


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: an unknown host or a malformed request."""
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without a valid CSRF token. Django logs the reason."""
    context = {"request_id": request_context_of(request).request_id}
    return render(request, "403_csrf.html", context, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404. A member of an organization stays in its frame."""
    frame = None if is_api(request.path) else _frame(request)
    if frame is None:
        return _answer(request, 404)
    return render(request, "404_in_frame.html", frame, status=404)


def _frame(request: HttpRequest) -> dict[str, Any] | None:
    """The frame of the last visited organization. None without one, or without the database."""
    if not hasattr(request, "user"):
        return None
    try:
        frame = frame_of(request)
    except DatabaseErrors:
        return None
    if frame.membership is None:
        return None
    return {
        "organization": frame.organization,
        "switcher": frame.memberships,
        "is_admin": frame.membership.role == Role.ADMIN,
        "home": frame.home,
        "request_id": request_context_of(request).request_id,
    }


def too_large(request: HttpRequest) -> HttpResponse:
    """413: the body is larger than a page accepts."""
    return _answer(request, 413)


def headers_too_large(request: HttpRequest) -> HttpResponse:
    """431: the headers, such as cookies, are too large."""
    return _answer(request, 431)


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """429: too many attempts, counted by django-allauth."""
    return _answer(request, 429)


def busy(request: HttpRequest, refusal: Busy) -> HttpResponse:
    """429: too many requests of this kind are in progress."""
    context = {"refusal": refusal, "request_id": request_context_of(request).request_id}
    return with_retry(render(request, "429.html", context), refusal)


def server_error(request: HttpRequest) -> HttpResponse:
    """500 for a bug, 503 if the database is unavailable. The traceback is logged with the ID."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    return _answer(request, 503 if away else 500)


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    if is_api(request.path):
        return error_response(request, status)
    context = {"request_id": request_context_of(request).request_id}
    response = render(request, f"{status}.html", context, status=status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = RETRY_SECONDS
    return response

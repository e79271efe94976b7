"""Error answers outside the viewsets: JSON under the API's prefixes, a page elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apikeys.api.fallbacks import answer_status, is_api
from organizations.origin import origin_of


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: an unknown host, a malformed request."""
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return _answer(request, 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without a valid token; the reason is for the log that Django writes."""
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a defect. The log has the traceback under the request id."""
    return _answer(request, 500)


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    if is_api(request.path):
        return answer_status(request, status)
    context = {"request_id": origin_of(request).request_id}
    return render(request, f"{status}.html", context, status=status)

"""Secrets that were pasted into a URL go no further than this middleware."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.http import escape_leading_slashes

from core.redaction import decoded, holds_secret, without_secrets

_CUT: Final = "You entered a full secret. Only its prefix was kept."
_READING: Final = frozenset({"GET", "HEAD"})


def cut_secrets_in_url(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Cuts secrets in the URL to their prefixes, before a page or redirect can repeat them.

    Reading a page is redirected, so that the secret leaves the address bar too. Other requests
    would lose their body, and continue with the URL that was cut.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not holds_secret(decoded(f"{request.path}?{request.META['QUERY_STRING']}")):
            return get_response(request)
        _cut(request)
        if request.method not in _READING:
            return get_response(request)
        if request.user.is_authenticated:
            messages.warning(request, _CUT)
        return HttpResponseRedirect(escape_leading_slashes(request.get_full_path()))

    return middleware


def _cut(request: HttpRequest) -> None:
    query = QueryDict(mutable=True)
    for name, values in request.GET.lists():
        query.setlistdefault(without_secrets(name), []).extend(map(without_secrets, values))
    request.META["QUERY_STRING"] = query.urlencode()
    request.GET = QueryDict(request.META["QUERY_STRING"])
    request.path = without_secrets(request.path)
    request.path_info = without_secrets(request.path_info)

"""Views with the same small response, each behind a different way of authenticating."""

from collections.abc import Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from knox.auth import TokenAuthentication
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_api_key.permissions import HasAPIKey

from apikeys.api.views import ApiKeyView
from apikeys.models import ApiKey
from apikeys.ratelimits.limiter import limiter
from apikeys.usage.key_request import KeyUse
from apikeys.verification.verify import verify
from core.request_context import request_context_of, set_key_use

_ANSWER: Final = {"status": "ok"}
_SCOPE: Final = "search:read"
_PAGE: Final = 20


def bare_django(request: HttpRequest) -> HttpResponse:
    """No authentication."""
    return JsonResponse(_ANSWER)


class Answering(APIView):
    """A DRF view with DRF's defaults, except for authentication and permissions."""

    authentication_classes: Sequence[type[BaseAuthentication]] = ()
    permission_classes: Sequence[type[BasePermission]] = ()

    def get(self, request: Request) -> Response:
        return Response(_ANSWER)


class BareDRF(Answering):
    """No authentication."""


class OursDRF(ApiKeyView):
    """A Latchkey API key with its scope and rate limit. The middleware counts usage.

    Uses DRF's content negotiation like the other views, which is slower than Latchkey's own.
    """

    scope = _SCOPE
    content_negotiation_class = DefaultContentNegotiation

    def get(self, request: Request) -> Response:
        return Response(_ANSWER)


def ours_plain(request: HttpRequest) -> HttpResponse:
    """The same without DRF, as an API gateway would do."""
    presented = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
    outcome = verify(presented)
    found = outcome.found
    if found is None or outcome.refusal:
        return JsonResponse({"error": outcome.refusal}, status=401)
    owner, tier = found.organization_id, found.organization_tier
    limit = limiter().hit(found.key_id, found.tier, owner, tier)
    use = KeyUse(found, request_context_of(request), outcome.digest, limit=limit, scope=_SCOPE)
    set_key_use(use)
    if not limit.allowed:
        return JsonResponse({"error": "rate_limited"}, status=429)
    if _SCOPE not in found.scopes:
        return JsonResponse({"error": "insufficient_scope"}, status=403)
    return JsonResponse(_ANSWER)


class DrfApiKey(Answering):
    """djangorestframework-api-key, set up as documented."""

    permission_classes = (HasAPIKey,)


class Knox(Answering):
    """django-rest-knox, set up as documented."""

    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)


def keyset(request: HttpRequest) -> HttpResponse:
    """The minimum cost of a page of keys: one query by keyset, few columns, no models."""
    rows = ApiKey.objects.filter(organization_id=request.GET["organization"]).order_by("-id")
    columns = (
        "id",
        "name",
        "scopes",
        "created_at",
        "last_used_at",
        "expires_at",
        "secrets__prefix",
    )
    return JsonResponse({"keys": list(rows.values(*columns)[:_PAGE])})

"""Base DRF view that requires an API key: authentication, scope, rate limit."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from rest_framework.exceptions import NotAuthenticated
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.views import APIView

from apikeys import conf
from apikeys.api.authentication import ApiKeyAuthentication, refusal_of
from apikeys.api.errors import OrganizationThrottled, api_error_of
from apikeys.api.formats.base import WireFormat, canonical_error
from apikeys.api.parsers import JSONOnly, StrictJSONParser, TooLarge
from apikeys.ratelimits.limiter import limiter
from apikeys.services import CredentialRefused
from apikeys.usage.key_request import KeyUse
from core.actors import Actor
from core.redaction import first_line
from core.request_bodies import REFUSED, busy, receivers
from core.request_context import request_context_of
from organizations import policy

#: Statuses of rejected requests, which usage counts by reason.
_REFUSALS: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_log = structlog.get_logger(__name__)


class ApiKeyView(APIView):
    """Requires a valid key with `scope` and within its rate limits.

    `actor` is the key, `request.auth` its VerifiedKey, and `key_use` what usage records of the
    request. Errors have the shape of `wire`. The steps run in DRF's order, each followed by the
    permissions or throttles of the subclass. Overrides DRF's hooks because DRF's own code between
    the steps costs more than the steps (docs/adr/0017).
    """

    wire = WireFormat(error=canonical_error)
    #: Recorded as used by the key. None for an endpoint that any key may use.
    scope: str | None = None
    authentication_classes = (ApiKeyAuthentication,)
    permission_classes: Sequence[type[BasePermission]] = ()
    parser_classes: Sequence[type[BaseParser]] = (StrictJSONParser,)
    content_negotiation_class: type[BaseContentNegotiation] = JSONOnly
    metadata_class = None
    #: None unless a genuine key was sent.
    key_use: KeyUse | None = None

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Raises ImproperlyConfigured for an unknown scope or other authentication classes."""
        scope = initkwargs.get("scope", cls.scope)
        if scope is not None and scope not in conf.scopes():
            raise ImproperlyConfigured(f"{cls.__name__}: {scope!r} is none of API_KEY_SCOPES.")
        classes = initkwargs.get("authentication_classes", cls.authentication_classes)
        if tuple(classes) != (ApiKeyAuthentication,):
            raise ImproperlyConfigured(f"{cls.__name__}: a ApiKeyView is opened by API keys alone.")
        return super().as_view(**initkwargs)

    @property
    def actor(self) -> Actor:
        """The API key of the request."""
        actor: Actor = self.request.user  # type: ignore[assignment]
        return actor

    # `request` is Any: DRF's stubs type its user as a User, which an Actor is not.
    def perform_authentication(self, request: Any) -> None:
        """Raises for a rejected key, and NotAuthenticated if none was sent.

        If there is a body, the key is checked before and after it is received: callers without a
        valid key can't hold a thread with a slow body, and a key that is revoked meanwhile is
        rejected.
        """
        authenticator = request.authenticators[0]
        try:
            opened = authenticator.authenticate(request)
            if opened is None:
                raise NotAuthenticated
            if _receive_body(request, opened[1].organization_id):
                opened = authenticator.authenticate(request)
        except Exception:
            # Reading `request.user` afterwards, as exception handlers do, must not verify again.
            request.user = request.auth = request._authenticator = None  # noqa: SLF001
            raise
        finally:
            self.key_use = authenticator.key_use
        request._authenticator = authenticator  # noqa: SLF001
        request.user, request.auth = opened

    def check_permissions(self, request: Any) -> None:
        """Raises LacksScope if the key lacks the view's scope."""
        scope = self.scope
        if scope is not None:
            policy.require_scope(request.user, scope)
            self.note_scope(scope)
        super().check_permissions(request)

    def check_throttles(self, request: Any) -> None:
        """Raises Throttled beyond the rate limit of the key or of its organization.

        Only verified keys count, so a key's budget can't be used up without its secret.
        """
        found = request.auth
        limit = limiter().hit(
            found.key_id, found.tier, found.organization_id, found.organization_tier
        )
        if self.key_use:
            self.key_use.limit = limit
        if limit.by_organization:
            raise OrganizationThrottled(limit.retry_after)
        if not limit.allowed:
            self.throttled(request, limit.retry_after)
        super().check_throttles(request)

    def note_scope(self, scope: str | None) -> None:
        """Records the scope that the request needs, for the key's usage."""
        if self.key_use:
            self.key_use.scope = scope

    def handle_exception(self, exc: Exception) -> Response:
        """A key revoked during the request is rejected in the same way as at authentication."""
        if isinstance(exc, CredentialRefused):
            exc = refusal_of(self.request, exc.outcome)
        return super().handle_exception(exc)

    def get_exception_handler(self) -> Any:
        return handle_api_exception


def _receive_body(request: Any, organization_id: UUID) -> bool:
    """Receives the body. Returns False if there is none. Raises Busy, or TooLarge before reading.

    Also returns False for a large body of a view with its own parsers, which read it themselves.
    """
    http = request._request  # noqa: SLF001 - see ApiKeyAuthentication
    length = http.META.get("CONTENT_LENGTH") or ""
    if http.method in ("GET", "HEAD", "OPTIONS") or not length.isdecimal() or not int(length):
        return False
    if REFUSED in http.META:
        raise busy()
    if int(length) > settings.API_BODY_LIMIT:
        if any(isinstance(parser, StrictJSONParser) for parser in request.parsers):
            raise TooLarge
        return False
    return bool(receivers.receive(organization_id, lambda: http.body))


def handle_api_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF exception handler: the error in the view's format. None leaves a 500 to Django."""
    failure = api_error_of(error)
    if failure is None:
        return None
    if isinstance(error, OperationalError | InterfaceError):
        _log.error("database_unavailable", reason=first_line(error))
    view = context["view"]
    use: KeyUse | None = view.key_use
    if use and failure.status in _REFUSALS:
        use.refusal = failure.code
    wire: WireFormat = view.wire
    body = wire.error_body(failure, request_context_of(context["request"]).request_id)
    return Response(body, status=failure.status, headers=dict(failure.headers))

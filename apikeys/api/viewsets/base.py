"""Base viewset: authentication, limits, parsing and responses in its wire format."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from rest_framework.response import Response
from rest_framework.viewsets import ViewSetMixin

from apikeys.api.serializers import WireSerializer
from apikeys.api.views import ApiKeyView
from core import ids
from core.bulkheads import refusal_of
from core.exceptions import ErrorCode, Invalid, NotFound, Problem
from core.request_context import request_context_of
from organizations import policy
from organizations.models import Organization
from organizations.roles import KEY_SCOPES, Action

M = TypeVar("M", bound=Model)
LONGEST_PAGE: Final = 100
DEFAULT_PAGE: Final = 20
#: The longest list in a format without pages: each key takes about 0.3 ms of CPU.
WHOLE_LIST: Final = 1_000


class WireViewSet(ViewSetMixin, ApiKeyView):
    """Base viewset. Each instance serves one wire format."""

    #: Serializer of responses.
    shape: type[WireSerializer]
    #: Operation → serializer of its response, if different.
    shapes: Mapping[str, type[WireSerializer]] = {}
    #: Serializer of request bodies.
    body: type[WireSerializer]
    http_method_names = ["get", "head", "post", "patch", "delete"]
    #: Actions that may wait until no process still acts on the old state (ADR 0018).
    authority_reducing_actions: frozenset[str] = frozenset()

    def check_throttles(self, request: Any) -> None:
        """Also raises Busy if the request may have to wait (ADR 0018) and no place is free."""
        super().check_throttles(request)
        full = (
            refusal_of("waiting", self.actor.organization_id)
            if self.may_take_authority_away()
            else None
        )
        if full:
            raise full

    def may_take_authority_away(self) -> bool:
        """Whether this request may reduce what a key can do."""
        return self.action in self.authority_reducing_actions

    def organization(self, action: Action) -> Organization:
        """The actor's own organization. Raises Forbidden if they may not do `action` there.

        Raises NotFound if the URL or the header names another one.
        """
        self._require_own_address()
        organization = Organization.objects.visible_to(self.actor).get()
        policy.require(self.actor, action, organization)
        self.note_scope(KEY_SCOPES[action])
        return organization

    def _require_own_address(self) -> None:
        named = [self.kwargs[self.wire.organization_in]] if self.wire.organization_in else []
        if self.wire.organization_header in self.request.headers:
            named.append(self.request.headers[self.wire.organization_header])
        if any(ids.read_id("org", text) != self.actor.organization_id for text in named):
            raise NotFound

    def read(self, operation: str) -> dict[str, Any]:
        """The validated request body, under canonical names."""
        if not isinstance(self.request.data, dict):
            raise Invalid.field("body", "Send a JSON object.")
        sent = {**self.wire.defaults.get(operation, {}), **self.request.data}
        context = {
            "wire": self.wire,
            "fields": self.wire.takes[operation],
            "required": self.wire.requires.get(operation, ()),
            "actor": self.actor,
        }
        serializer = self.body(data=sent, context=context)
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        return data

    def show(self, value: Any, operation: str = "read", **more: Any) -> Any:
        """Serializes `value`, or a list of values, for the response to an operation."""
        context = {"wire": self.wire, "fields": self.wire.shown(operation), **more}
        shape = self.shapes.get(operation, self.shape)
        return shape(value, many=isinstance(value, list), context=context).data

    def respond(self, data: Any, **response: Any) -> Response:
        """A successful response in the format's shape."""
        body = self.wire.success_body(data, request_context_of(self.request).request_id)
        return Response(body, **response)

    @staticmethod
    def find(rows: QuerySet[M], id: UUID | None) -> M | None:
        """The row with this ID. None if there is none, or if `id` is None."""
        return rows.filter(pk=id).first() if id else None

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """An integer query parameter. Raises Invalid if it isn't from `least` to `most`."""
        text = self.request.query_params.get(name, str(default))
        if text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most:
            return int(text)
        raise Invalid.field(name, f"Give a whole number from {least} to {most}.")

    def refuse_other_parameters(self, *known: str) -> None:
        """Raises Invalid for unknown and for repeated query parameters."""
        # A mistyped filter must not return the unfiltered list.
        message = f"Unknown parameter. Available: {', '.join(known)}."
        problems = [
            Problem(name, ErrorCode.UNKNOWN_FIELD, message)
            for name in self.request.query_params
            if name not in known
        ]
        if problems:
            raise Invalid(message, code=ErrorCode.UNKNOWN_FIELD, problems=problems)
        for name, values in self.request.query_params.lists():
            if len(values) > 1:
                raise Invalid.field(name, "Give this parameter once.")

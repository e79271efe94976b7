"""Keys over REST."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys import services
from apikeys.api import serializers
from apikeys.api.pagination import paginate
from apikeys.api.viewsets.asked_usage import usage_of
from apikeys.api.viewsets.base import DEFAULT_PAGE, LONGEST_PAGE, WireViewSet
from apikeys.api.viewsets.retries import REPLAYED, attempt_of
from apikeys.models import ApiKey, Status
from organizations import ids
from organizations.exceptions import Invalid, NotFound
from organizations.models import ServiceAccount
from organizations.origin import origin_of
from organizations.roles import Action
from organizations.text import name_key


class ApiKeyViewSet(WireViewSet):
    """Keys."""

    shape = serializers.ApiKeySerializer
    body = serializers.KeyBody
    shapes = {"usage": serializers.UsageSerializer}

    def list(self, request: Request, **_: str) -> Response:
        """A page of keys, newest first; all of them in a format without pages."""
        organization = self.organization(Action.VIEW_KEYS)
        keys = ApiKey.objects.visible_to(self.actor).for_display()
        if not self.wire.has_pages:
            self.refuse_other_parameters()
            return self.answer(self.wire.listing(self.show([*keys.order_by("-id")]), None))
        self.refuse_other_parameters("limit", "cursor", "status", "name")
        status, name = request.query_params.get("status"), request.query_params.get("name")
        if status is not None:
            keys = keys.with_status(_known_status(status), timezone.now())
        if name is not None:
            keys = keys.filter(name_key=_comparable(name))
        page = paginate(
            keys,
            limit=self.number("limit", DEFAULT_PAGE, 1, LONGEST_PAGE),
            cursor=request.query_params.get("cursor"),
            binding=(organization.id, self.actor.environment, status, name),
        )
        return self.answer(self.wire.listing(self.show(page.keys), page.next_cursor))

    def create(self, request: Request, **_: str) -> Response:
        """A new key and its secret."""
        organization = self.organization(Action.MANAGE_KEYS)
        given = self.read("create")
        account = given.pop("service_account", None)
        try:
            issued = services.create_api_key(
                organization=organization,
                actor=self.actor,
                service_account=self._service_account(account),
                submission=attempt_of(request),
                **given,
            )
        except services.AlreadySubmitted as earlier:
            headers = {"Location": self._address(earlier.key)}
            return self._answer_again(earlier, status=self.wire.created, headers=headers)
        data = self.show(issued.key, "create", issued=issued)
        headers = {"Location": self._address(issued.key)}
        return self.answer(data, status=self.wire.created, headers=headers)

    def retrieve(self, request: Request, id: str, **_: str) -> Response:
        """One key."""
        return self.answer(self.show(self._key(id, Action.VIEW_KEYS)))

    def partial_update(self, request: Request, id: str, **_: str) -> Response:
        """Changes a key."""
        key = self._key(id)
        key = services.update_api_key(key, actor=self.actor, changes=self.read("update"))
        return self.answer(self.show(key, "update"))

    def destroy(self, request: Request, id: str, **_: str) -> Response:
        """Revokes a key for good."""
        key = services.revoke_api_key(self._key(id), actor=self.actor)
        return self.answer(self.show(key, "revoke"))

    def rotate(self, request: Request, id: str, **_: str) -> Response:
        """A new secret for the same key."""
        key = self._key(id)
        given = self.read("rotate")
        if "grace_period" in given:
            given["grace_period"] = timedelta(seconds=given["grace_period"])
        try:
            issued = services.rotate_api_key(
                key, actor=self.actor, submission=attempt_of(request), **given
            )
        except services.AlreadySubmitted as earlier:
            return self._answer_again(earlier)
        return self.answer(self.show(issued.key, "rotate", issued=issued))

    def usage(self, request: Request, id: str, **_: str) -> Response:
        """How many requests with a key ended how, by hour or day."""
        key = self._key(id, Action.VIEW_KEYS)
        self.refuse_other_parameters("from", "to", "interval")
        usage = usage_of(key, request.query_params)
        return self.answer(self.show(usage, "usage"))

    def current(self, request: Request) -> Response:
        """The key that asks, whatever its scopes, and its organization."""
        key = ApiKey.objects.visible_to(self.actor).for_display().get(pk=self.actor.principal_id)
        return self.answer(self.show(key, "current"))

    def _answer_again(
        self,
        earlier: services.AlreadySubmitted,
        status: int = HTTPStatus.OK,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        """What an earlier call has made, as it is now: without its secret, and saying so."""
        key = ApiKey.objects.for_display().get(pk=earlier.key.pk)
        data = self.show(key, "again", issued=earlier)
        body = self.wire.answer_again(data, origin_of(self.request).request_id)
        return Response(body, status=status, headers={**headers, REPLAYED: "true"})

    def _address(self, key: ApiKey) -> str:
        return f"{self.request.path}/{self.wire.id_of('key', key.id)}"

    def _key(self, text: str, action: Action = Action.MANAGE_KEYS) -> ApiKey:
        self.organization(action)
        key_id = ids.read_id("key", text)
        if key_id is None and self.wire.impossible_id_is_invalid:
            raise Invalid.field("id", "This is no API key id; they look like key_… or a UUID.")
        key = self.find(ApiKey.objects.visible_to(self.actor).for_display(), key_id)
        if key is None:
            raise NotFound("No such API key.")
        return key

    def _service_account(self, text: str | None) -> ServiceAccount | None:
        if text is None:
            return None
        accounts = ServiceAccount.objects.visible_to(self.actor)
        account = self.find(accounts, ids.read_id("sa", text))
        if account is None:
            raise services.no_service_account()
        return account


def _known_status(text: str) -> str:
    if text not in list(Status):
        raise Invalid.field("status", f"Choose one of these: {', '.join(Status)}.")
    return text


def _comparable(name: str) -> str:
    if "\x00" in name:
        raise Invalid.field("name", "Remove the control or text-direction characters.")
    return name_key(name)

"""REST viewset for API keys."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from apikeys import services
from apikeys.api import serializers
from apikeys.api.pagination import paginate
from apikeys.api.viewsets.base import DEFAULT_PAGE, LONGEST_PAGE, WHOLE_LIST, WireViewSet
from apikeys.api.viewsets.idempotency import REPLAYED, idempotency_token_of
from apikeys.api.viewsets.usage import usage_of
from apikeys.models import ApiKey, Status
from apikeys.services import key_limit
from core import ids
from core.exceptions import ErrorCode, Invalid, NotFound, Problem
from core.request_context import request_context_of
from core.text import name_key
from organizations.models import ServiceAccount
from organizations.roles import Action

_NO_KEY: Final = "No such API key."


class ApiKeyViewSet(WireViewSet):
    shape = serializers.ApiKeySerializer
    body = serializers.KeyBody
    shapes = {"usage": serializers.UsageSerializer}
    authority_reducing_actions = frozenset({"destroy", "revoke_many", "rotate"})

    def list(self, request: Request, **_: str) -> Response:
        """A page of keys, newest first. Without pages, at most WHOLE_LIST unrevoked keys."""
        organization = self.organization(Action.VIEW_KEYS)
        keys = ApiKey.objects.visible_to(self.actor)
        if not self.wire.has_pages:
            self.refuse_other_parameters()
            most = min(key_limit.limit_of(organization) or WHOLE_LIST, WHOLE_LIST)
            listed = keys.newest_unrevoked(most).for_display()
            return self.respond(self.wire.listing(self.show([*listed]), None))
        keys = keys.for_display()
        self.refuse_other_parameters("limit", "cursor", "status", "name")
        status, name = request.query_params.get("status"), request.query_params.get("name")
        if status is not None:
            keys = keys.with_status(_status_filter(status), timezone.now())
        if name is not None:
            keys = keys.filter(name_key=_name_filter(name))
        page = paginate(
            keys,
            limit=self.number("limit", DEFAULT_PAGE, 1, LONGEST_PAGE),
            cursor=request.query_params.get("cursor"),
            binding=(organization.id, self.actor.environment, status, name),
        )
        return self.respond(self.wire.listing(self.show(page.keys), page.next_cursor))

    def create(self, request: Request, **_: str) -> Response:
        organization = self.organization(Action.MANAGE_KEYS)
        values = self.read("create")
        account = values.pop("service_account", None)
        try:
            issued = services.create_api_key(
                organization=organization,
                actor=self.actor,
                service_account=self._service_account(account),
                submission=idempotency_token_of(request),
                **values,
            )
        except services.AlreadySubmitted as earlier:
            headers = {"Location": self._location(earlier.key)}
            return self._answer_again(earlier, status=self.wire.created, headers=headers)
        data = self.show(issued.key, "create", issued=issued)
        headers = {"Location": self._location(issued.key)}
        return self.respond(data, status=self.wire.created, headers=headers)

    def retrieve(self, request: Request, id: str, **_: str) -> Response:
        return self.respond(self.show(self._key(id, Action.VIEW_KEYS)))

    def partial_update(self, request: Request, id: str, **_: str) -> Response:
        key = self._key(id)
        key = services.update_api_key(key, actor=self.actor, changes=self.read("update"))
        return self.respond(self.show(key, "update"))

    def destroy(self, request: Request, id: str, **_: str) -> Response:
        """Revokes a key permanently."""
        key = services.revoke_api_key(self._key(id), actor=self.actor)
        return self.respond(self.show(key, "revoke"))

    def revoke_many(self, request: Request, **_: str) -> Response:
        """Revokes several keys permanently, all or none."""
        self.organization(Action.MANAGE_KEYS)
        values = self.read("revoke_many")
        keys = self._keys(values.pop("ids"))
        revoked = services.revoke_api_keys(keys, actor=self.actor, **values)
        shown = ApiKey.objects.visible_to(self.actor).for_display().in_bulk([k.pk for k in revoked])
        data = self.show([shown[key.pk] for key in revoked], "revoke_many")
        return self.respond(self.wire.several(data))

    def rotate(self, request: Request, id: str, **_: str) -> Response:
        key = self._key(id)
        values = self.read("rotate")
        if "grace_period" in values:
            values["grace_period"] = timedelta(seconds=values["grace_period"])
        try:
            issued = services.rotate_api_key(
                key, actor=self.actor, submission=idempotency_token_of(request), **values
            )
        except services.AlreadySubmitted as earlier:
            return self._answer_again(earlier)
        return self.respond(self.show(issued.key, "rotate", issued=issued))

    def usage(self, request: Request, id: str, **_: str) -> Response:
        """Requests with a key by result, per hour or day."""
        key = self._key(id, Action.VIEW_KEYS)
        self.refuse_other_parameters("from", "to", "interval")
        usage = usage_of(key, request.query_params)
        return self.respond(self.show(usage, "usage"))

    def current(self, request: Request) -> Response:
        """The API key of the request and its organization. Needs no scope."""
        key = ApiKey.objects.visible_to(self.actor).for_display().get(pk=self.actor.principal_id)
        return self.respond(self.show(key, "current"))

    def _answer_again(
        self,
        earlier: services.AlreadySubmitted,
        status: int = HTTPStatus.OK,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        """The response to a repeated request: the key as it is now, without its secret."""
        key = ApiKey.objects.for_display().get(pk=earlier.key.pk)
        data = self.show(key, "again", issued=earlier)
        body = self.wire.answer_again(data, request_context_of(self.request).request_id)
        return Response(body, status=status, headers={**headers, REPLAYED: "true"})

    def _location(self, key: ApiKey) -> str:
        return f"{self.request.path}/{self.wire.id_of('key', key.id)}"

    def may_take_authority_away(self) -> bool:
        """Includes changes that can limit the key and rotations with a short grace period."""
        sent = self.request.data
        if not isinstance(sent, dict) or self.action not in ("partial_update", "rotate"):
            return super().may_take_authority_away()
        if self.action == "partial_update":
            return any(self.wire.name(field) in sent for field in services.LIMITING)
        sent = {**self.wire.defaults.get("rotate", {}), **sent}
        grace = sent.get(self.wire.name("grace_period"), services.SHORT_GRACE.total_seconds() + 1)
        is_long = isinstance(grace, int | float) and grace > services.SHORT_GRACE.total_seconds()
        return bool(sent.get(self.wire.name("force"))) or not is_long

    def _key(self, text: str, action: Action = Action.MANAGE_KEYS) -> ApiKey:
        self.organization(action)
        key_id = ids.read_id("key", text)
        if key_id is None and self.wire.impossible_id_is_invalid:
            raise Invalid.field("id", "Not an API key ID. IDs look like key_… or a UUID.")
        key = self.find(ApiKey.objects.visible_to(self.actor).for_display(), key_id)
        if key is None:
            raise NotFound(_NO_KEY)
        return key

    def _keys(self, texts: Sequence[str]) -> Sequence[ApiKey]:
        """The keys with these IDs, without duplicates. NotFound lists the unknown IDs."""
        key_ids = [ids.read_id("key", text) for text in texts]
        keys = ApiKey.objects.visible_to(self.actor).select_related("organization")
        keys_by_id = keys.in_bulk([key_id for key_id in key_ids if key_id])
        problems = [
            Problem(f"ids.{position}", ErrorCode.NOT_FOUND, _NO_KEY)
            for position, key_id in enumerate(key_ids)
            if key_id not in keys_by_id
        ]
        if problems:
            raise NotFound(_NO_KEY, problems=problems)
        return [keys_by_id[key_id] for key_id in dict.fromkeys(key_ids) if key_id]

    def _service_account(self, text: str | None) -> ServiceAccount | None:
        if text is None:
            return None
        accounts = ServiceAccount.objects.visible_to(self.actor)
        account = self.find(accounts, ids.read_id("sa", text))
        if account is None:
            raise services.invalid_service_account()
        return account


def _status_filter(text: str) -> str:
    if text not in list(Status):
        raise Invalid.field("status", f"Choose one of these: {', '.join(Status)}.")
    return text


def _name_filter(name: str) -> str:
    if "\x00" in name:
        raise Invalid.field("name", "Remove the control or text-direction characters.")
    return name_key(name)

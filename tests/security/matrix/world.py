"""The callers of the authorization table, and Acme's objects that they try to access."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey, KeyUsage, ScopeUse
from apikeys.services import Issued
from apikeys.usage.recorder import recorder
from apikeys.verification import guess_limit
from core import transactions
from organizations.models import Membership, Organization, User
from organizations.roles import Role
from tests.conftest import ALL_SCOPES
from tests.factories import (
    SYSTEM,
    InvitationFactory,
    IssuedKeyFactory,
    MembershipFactory,
    OrganizationFactory,
    ServiceAccountFactory,
    TemplateFactory,
    UserFactory,
)
from tests.pages.support import sign_in
from tests.security.matrix.routes import Operation
from tests.support.api import CURRENT
from tests.support.following import silent

KEY: Final = {"name": "Made in the matrix", "scopes": ["search:read"]}
_NAME: Final = {"name": "Made in the matrix"}
#: What is sent where an empty body would be refused for its own sake.
_BODIES: Final[dict[Operation, dict[str, Any]]] = {
    ("v1/api-keys", "POST"): KEY,
    ("v1/api-keys/revoke", "POST"): {"ids": ["KEY_ID"]},
    ("envelope/v1/api-keys", "POST"): _NAME,
    ("api/v1/workspaces/<str:workspace_id>/api-keys", "POST"): _NAME,
    ("v1/accounts/<str:account_id>/templates", "POST"): KEY,
    ("v1/accounts/<str:account_id>/templates/<str:id>", "PATCH"): KEY,
}
_PATCH: Final = {"name": "Renamed in the matrix"}
_PLACE: Final = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass(frozen=True)
class World:
    """Callers by name, and the ids that fill the places of a route."""

    callers: dict[str, Callable[[], Client]]
    ids: dict[str, Any]

    def path(self, route: str) -> str:
        """The address of Acme's own thing at a route."""
        ids = dict(self.ids)
        ids["id"] = ids["template" if "templates" in route else "key"]
        if (found := re.match(r"admin/(\w+)/(\w+)/", route)) and "object_id" in route:
            ids["object_id"] = self._row(*found.groups())
        if route.startswith("v1/accounts"):
            ids["account_id"] = ids["organization"]
        route = "/" + route.replace("^", "").replace("$", "").replace("(?:/.*)?", "/nowhere")
        route = route.replace("(?:v1|envelope|api)", "v1").replace(r"<id>/pass", "<user_id>/pass")
        return _PLACE.sub(lambda place: str(ids[place[1] or place[2]]), route)

    def ask(self, caller: str, route: str, method: str) -> Any:
        """The answer to a caller, through every middleware."""
        path, client = self.path(route), self.callers[caller]()
        if route.startswith(("v1/", "envelope/", "api/")):
            body = _BODIES.get((route, method), _PATCH if method == "PATCH" else {})
            text = json.dumps(body).replace("KEY_ID", self.ids["key"])
            return client.generic(method, path, text, "application/json")
        return client.generic(method, path, b"", "application/x-www-form-urlencoded")

    @staticmethod
    def _row(app: str, name: str) -> Any:
        model = next(m for m in admin.site._registry if m._meta.label_lower == f"{app}.{name}")
        row: Any = model._default_manager.first()
        return row.pk


def build() -> World:
    """Acme and Globex with one caller of each kind."""
    ada, gina = UserFactory.create(email="ada@acme.example"), UserFactory.create()
    acme = OrganizationFactory.create(name="Acme", admin=ada)
    globex = OrganizationFactory.create(name="Globex", admin=gina)
    max_ = MembershipFactory.create(organization=acme, role=Role.MEMBER).user
    people = {
        "admin": ada,
        "member": max_,
        "outsider": gina,
        "staff": UserFactory.create(is_staff=True, is_superuser=True),
        "clerk": UserFactory.create(is_staff=True),
    }
    signed_in = {name: sign_in(person) for name, person in people.items()}
    callers: dict[str, Callable[[], Client]] = {"anonymous": Client}
    for name, issued in _keys(acme, globex).items():
        callers[name] = _bearer(issued)
        callers[name]().get(CURRENT)  # a key's last use is written on its first call
    for name, client in signed_in.items():
        callers[name] = _browser(client)
    silent()
    return World(callers, _ids(acme, max_))


def _keys(acme: Organization, globex: Organization) -> dict[str, Issued]:
    robot = ServiceAccountFactory.create(organization=acme)

    def make(name: str, **fields: Any) -> Issued:
        fields = {"organization": acme, "scopes": ALL_SCOPES, **fields}
        issued: Issued = IssuedKeyFactory.create(name=name, **fields)
        return issued

    keys = {
        "read-only": make("Read-only", scopes=["search:read"]),
        "managing": make("Managing"),
        "test": make("Test", environment="test"),
        "service": make("Service", service_account=robot),
        "foreign": make("Foreign", organization=globex),
        "expired": make("Expired"),
        "revoked": make("Revoked"),
        "disabled": make("Disabled"),
    }
    with transactions.allowed():
        past = timezone.now() - timedelta(days=1)
        ApiKey.objects.filter(pk=keys["expired"].key.pk).update(expires_at=past)
    services.revoke_api_key(keys["revoked"].key, actor=SYSTEM)
    services.set_api_key_enabled(keys["disabled"].key, actor=SYSTEM, enabled=False)
    return keys


def _ids(acme: Organization, member: User) -> dict[str, Any]:
    template = TemplateFactory.create(organization=acme).public_id
    robot = ServiceAccountFactory.create(organization=acme, name="Subject").public_id
    key = IssuedKeyFactory.create(organization=acme, name="Subject", scopes=["search:read"]).key
    return {
        "slug": acme.slug,
        "organization": acme.public_id,
        "key": key.public_id,
        "key_id": key.public_id,
        "template": template,
        "template_id": template,
        "member_id": Membership.objects.get(user=member).pk,
        "invitation_id": InvitationFactory.create(organization=acme).pk,
        "account_id": robot,
        "workspace_id": acme.pk,
        "user_id": member.pk,
        "content_type_id": ContentType.objects.get_for_model(Organization).pk,
        "object_id": acme.pk,
        "token": "no-such-token",
        "pk": 1,
        "uidb36": "1",
        "app_label": "apikeys",
        "url": "nowhere/",
    }


def _bearer(issued: Issued) -> Callable[[], Client]:
    return lambda: Client(headers={"Authorization": f"Bearer {issued.secret}"})


def _browser(client: Client) -> Callable[[], Client]:
    def fresh() -> Client:
        again = Client()
        again.cookies = copy(client.cookies)
        return again

    return fresh


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written inside is taken back."""
    cache.clear()
    guess_limit.reset()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    recorder.discard()


#: A request that is refused may still be the last that a person or a key has made.
_LAST_USE: Final = ("last_used_at", "last_used_ip", "last_used_user_agent", "last_seen_at")


#: Refusals are counted, too; a visitor's own session may say where they wanted to go.
_MAY_CHANGE: Final = (KeyUsage, ScopeUse, Session)


def fingerprint() -> dict[str, list[str]]:
    """Every row of every table but what a refusal may leave."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list(*_columns(model))))
        for model in apps.get_models()
        if model not in _MAY_CHANGE
    }


def changed_since(before: dict[str, list[str]]) -> list[str]:
    """The tables that differ from an earlier fingerprint."""
    return [table for table, rows in fingerprint().items() if rows != before[table]]


def _columns(model: type[Model]) -> list[str]:
    return [f.attname for f in model._meta.concrete_fields if f.attname not in _LAST_USE]

"""Table of revocations: what revokes a key's permissions, on every interface that offers it.

To add one, add a `Row` for each interface, a `Kind` if it revokes something else, and a line in
`KINDS_OF` for a new service. `tests.reliability.faults.offered` finds what has no row.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Model
from django.utils import timezone

from apikeys import services
from apikeys.services import Issued
from config.env import ROOT
from organizations import services as organization_services
from organizations.models import Change, Organization, ServiceAccount
from tests.admin.support import change, page
from tests.conftest import ALL_SCOPES
from tests.factories import (
    SYSTEM,
    IssuedKeyFactory,
    OrganizationFactory,
    ServiceAccountFactory,
    UserFactory,
)
from tests.pages.support import developer
from tests.reliability.faults.load import Call
from tests.reliability.faults.offered import Offer
from tests.reliability.faults.wires import Browser, Request, call
from tests.reliability.live.conftest import Server, environment_of_server


@dataclass(frozen=True, slots=True)
class Scene:
    """An organization, its people's browsers, and a key whose authority is taken away.

    `variant` is 0 or 1: pages are sent as such or from a dialog, actions of the administration
    from the list or from the key's own page.
    """

    server: Server
    acme: Organization
    robot: ServiceAccount
    manager: Issued
    victim: Issued
    person: Browser
    staff: Browser
    variant: int = 0

    @classmethod
    def of(cls, server: Server) -> "Scene":
        """A new organization in a tier that no load uses up."""
        admin = UserFactory.create()
        acme = OrganizationFactory.create(admin=admin)
        organization_services.set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)
        robot = ServiceAccountFactory.create(organization=acme)
        manager = IssuedKeyFactory.create(organization=acme, scopes=ALL_SCOPES)
        person = Browser.of(server, admin)
        staff = Browser.of(server, UserFactory.create(is_staff=True, is_superuser=True))
        return cls(server, acme, robot, manager, manager, person, staff)

    def canonical(self, method: str, rest: str = "", **body: Any) -> Request:
        path = f"/v1/api-keys/{self.victim.key.public_id}{rest}"
        return call(self.manager.secret, method, path, body or None)

    def revoke_list(self) -> Request:
        """The victim among the keys of one request."""
        ids = [self.victim.key.public_id]
        return call(self.manager.secret, "POST", "/v1/api-keys/revoke", {"ids": ids})

    def delete_selected(self) -> Request:
        """The page that asks before it deletes the keys that were selected in the list."""
        path = developer(self.acme, f"keys/delete/?key={self.victim.key.public_id}")
        return self._as_sent(self.person.form(path, {"typed": self.victim.key.name}))

    def disable_selected(self) -> Request:
        """The same page for disabling."""
        path = developer(self.acme, f"keys/disable/?key={self.victim.key.public_id}")
        return self._as_sent(self.person.form(path, {}))

    def envelope(self, method: str, rest: str = "", **body: Any) -> Request:
        path = f"/envelope/v1/api-keys/{self.victim.key.public_id}{rest}"
        return call(self.manager.secret, method, path, body or None)

    def workspace(self, method: str) -> Request:
        path = f"/api/v1/workspaces/{self.acme.pk}/api-keys/{self.victim.key.pk}"
        return call(self.manager.secret, method, path)

    def page(self, rest: str, **changes: Any) -> Request:
        """The form of a page about the key."""
        path = developer(self.acme, f"keys/{self.victim.key.public_id}/{rest}/")
        return self._as_sent(self.person.form(path, changes))

    def account_page(self, **changes: Any) -> Request:
        path = developer(self.acme, f"service-accounts/{self.robot.public_id}/switch/")
        return self._as_sent(self.person.post(path, changes))

    def close(self) -> Request:
        """The page that closes the organization."""
        path = f"/o/{self.acme.slug}/settings/close/"
        return self._as_sent(self.person.form(path, {"typed": self.acme.name}))

    def _as_sent(self, request: Request) -> Request:
        return request.in_dialog() if self.variant else request

    def staff_page(self, thing: Model, **changes: Any) -> Request:
        """The change page of the administration."""
        return self.staff.form(change(thing), {"_save": "Save", **changes})

    def action(self, thing: Model, name: str, **more: Any) -> Request:
        """An action of a list of the administration, for one row."""
        fields = {"action": name, ACTION_CHECKBOX_NAME: thing.pk, "index": 0, **more}
        if self.variant:
            fields["from_detail"] = "yes"
        return self.staff.post(page(type(thing)), fields)

    @property
    def latest_change(self) -> int:
        """The number of the latest change of the key, its account or its organization."""
        concerned = [self.victim.key.pk, self.robot.pk, self.acme.pk]
        changes = Change.objects.filter(target_id__in=concerned).order_by("-number")
        return changes.values_list("number", flat=True)[0]


@dataclass(frozen=True, slots=True)
class Command:
    """A command, in a process of its own whose environment says that leases are off."""

    words: tuple[str, ...]

    def run(self, server: Server) -> None:
        """To its end; it has to succeed."""
        environment = {**environment_of_server(), "API_KEY_LEASE": "0"}
        words = [sys.executable, "manage.py", *self.words]
        subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is taken away, what goes before and after it, and what is still a use of it.

    `lists_only`: the authority to call the endpoints that list keys, and no others.
    """

    name: str
    before: Callable[[Scene], object] = lambda scene: None
    after: Callable[[Scene], object] = lambda scene: None
    accepted: Callable[[Call], bool] = lambda call: call.status == 200
    lists_only: bool = False


def _never(call: Call) -> bool:
    return False


def _rotate(scene: Scene) -> None:
    services.rotate_api_key(scene.victim.key, actor=SYSTEM)


def _open_access(scene: Scene) -> None:
    organization_services.set_api_access(scene.acme, enabled=True, actor=SYSTEM)


def _reopen(scene: Scene) -> None:
    organization_services.reopen_organization(scene.acme, actor=SYSTEM)
    _open_access(scene)


def _enable_robot(scene: Scene) -> None:
    organization_services.set_service_account_enabled(scene.robot, enabled=True, actor=SYSTEM)


def _raise_tier(scene: Scene) -> None:
    organization_services.set_rate_limit_tier(scene.acme, tier="maximum", actor=SYSTEM)


def _in_highest_tier(call: Call) -> bool:
    return call.policy.startswith('"maximum"')


REVOKED: Final = Kind("revoked")
DISABLED: Final = Kind("disabled")
NARROWED: Final = Kind("narrowed in its scopes", lists_only=True)
#: An end is at least a minute ahead, so that no use of it shows within a round: what is looked at
#: is that every process has applied it.
SHORTENED: Final = Kind("given an earlier expiry", accepted=_never)
FORCED: Final = Kind("rotated by force during an overlap", before=_rotate)
NO_OVERLAP: Final = Kind("rotated without an overlap")
ACCESS_OFF: Final = Kind("of an organization whose API access is off", after=_open_access)
CLOSED: Final = Kind("of an organization that is closed", after=_reopen)
ACCOUNT_OFF: Final = Kind("of a service account that is off", after=_enable_robot)
TIER_LOWERED: Final = Kind("in a lower tier", accepted=_in_highest_tier)
ALL_LOWERED: Final = Kind(
    "of an organization in a lower tier", after=_raise_tier, accepted=_in_highest_tier
)

#: Service → what it can take away. `update_api_key` can where a face has the field.
KINDS_OF: Final[dict[str, dict[str, Kind]]] = {
    "revoke_api_key": {"": REVOKED},
    "revoke_api_keys": {"": REVOKED},
    "set_api_key_enabled": {"": DISABLED},
    "set_api_keys_enabled": {"": DISABLED},
    "update_api_key": {"enabled": DISABLED, "scopes": NARROWED, "expires_at": SHORTENED},
    "rotate_api_key": {"force": FORCED, "grace_period": NO_OVERLAP},
    "set_key_rate_limit_tier": {"": TIER_LOWERED},
    "set_api_access": {"": ACCESS_OFF},
    "close_organization": {"": CLOSED},
    "set_rate_limit_tier": {"": ALL_LOWERED},
    "set_service_account_enabled": {"": ACCOUNT_OFF},
}
#: Faces that reach such a service and need no row.
REASONS: Final = {
    "admin action apikeys.apikey enable": "gives access back",
    "admin action organizations.serviceaccount enable": "gives access back",
    "POST o/<slug:slug>/settings/developer/keys/enable/": "gives access back",
    "command create_api_key": "revokes its own new key, whose secret could not be printed",
}


def kinds(offer: Offer) -> set[Kind]:
    """What a face that offers a service can take away."""
    known = KINDS_OF[offer.service]
    if offer.service == "update_api_key":
        return {kind for field, kind in known.items() if field in offer.fields}
    return set(known.values())


@dataclass(frozen=True, slots=True)
class Row:
    """One withdrawal on one face; `ask` makes what is sent, and may look at a page before."""

    kind: Kind
    face: str
    ask: Callable[[Scene], Request | Command]


_ONE: Final = "v1/api-keys/<str:id>"
_ENVELOPE: Final = f"envelope/{_ONE}"
_KEYS: Final = "POST o/<slug:slug>/settings/developer/keys/"
_KEY: Final = "POST o/<slug:slug>/settings/developer/keys/<str:key_id>/"
_ROBOT: Final = "POST o/<slug:slug>/settings/developer/service-accounts/<str:account_id>/"
_ACTION: Final = "admin action apikeys.apikey"
_FEWER: Final = ["search:read"]


def _sooner(form: str = "%Y-%m-%dT%H:%M:%SZ") -> str:
    return (timezone.now() + timedelta(minutes=5)).strftime(form)


ROWS: Final = [
    # Wire formats
    Row(REVOKED, f"DELETE {_ONE}", lambda s: s.canonical("DELETE")),
    Row(REVOKED, f"DELETE {_ENVELOPE}", lambda s: s.envelope("DELETE")),
    Row(
        REVOKED,
        "DELETE api/v1/workspaces/<str:workspace_id>/api-keys/<str:id>",
        lambda s: s.workspace("DELETE"),
    ),
    Row(REVOKED, "POST v1/api-keys/revoke", lambda s: s.revoke_list()),
    Row(DISABLED, f"PATCH {_ONE}", lambda s: s.canonical("PATCH", enabled=False)),
    Row(DISABLED, f"PATCH {_ENVELOPE}", lambda s: s.envelope("PATCH", enabled=False)),
    Row(NARROWED, f"PATCH {_ONE}", lambda s: s.canonical("PATCH", scopes=_FEWER)),
    Row(SHORTENED, f"PATCH {_ONE}", lambda s: s.canonical("PATCH", expires_at=_sooner())),
    Row(SHORTENED, f"PATCH {_ENVELOPE}", lambda s: s.envelope("PATCH", expiresAt=_sooner())),
    Row(FORCED, f"POST {_ONE}/rotate", lambda s: s.canonical("POST", "/rotate", force=True)),
    Row(FORCED, f"POST {_ENVELOPE}/rotate", lambda s: s.envelope("POST", "/rotate", force=True)),
    Row(
        NO_OVERLAP, f"POST {_ONE}/rotate", lambda s: s.canonical("POST", "/rotate", grace_period=0)
    ),
    Row(
        NO_OVERLAP,
        f"POST {_ENVELOPE}/rotate",
        lambda s: s.envelope("POST", "/rotate", gracePeriod=0),
    ),
    # Settings pages
    Row(REVOKED, f"{_KEY}delete/", lambda s: s.page("delete", typed=s.victim.key.name)),
    Row(REVOKED, f"{_KEYS}delete/", lambda s: s.delete_selected()),
    Row(DISABLED, f"{_KEYS}disable/", lambda s: s.disable_selected()),
    Row(DISABLED, f"{_KEY}delete/", lambda s: s.page("delete", instead="disable")),
    Row(DISABLED, f"{_KEY}switch/", lambda s: s.page("switch")),
    Row(NARROWED, f"{_KEY}edit/", lambda s: s.page("edit", scopes=_FEWER)),
    Row(
        SHORTENED,
        f"{_KEY}edit/",
        lambda s: s.page("edit", expires_at=_sooner("%Y-%m-%dT%H:%M")),
    ),
    Row(FORCED, f"{_KEY}rotate/", lambda s: s.page("rotate", submission=uuid4())),
    Row(NO_OVERLAP, f"{_KEY}rotate/", lambda s: s.page("rotate", grace="0")),
    Row(ACCOUNT_OFF, f"{_ROBOT}switch/", lambda s: s.account_page(enabled="no")),
    Row(CLOSED, "POST o/<slug:slug>/settings/close/", lambda s: s.close()),
    # Administration: actions of the lists and of a key's page, then change pages
    Row(
        REVOKED,
        f"{_ACTION} revoke",
        lambda s: s.action(s.victim.key, "revoke", confirmed="yes", reason="Lost."),
    ),
    Row(DISABLED, f"{_ACTION} disable", lambda s: s.action(s.victim.key, "disable")),
    Row(
        TIER_LOWERED,
        f"{_ACTION} set_tier",
        lambda s: s.action(s.victim.key, "set_tier", confirmed="yes", rate_limit_tier="high"),
    ),
    Row(
        CLOSED,
        "admin action organizations.organization close",
        lambda s: s.action(s.acme, "close"),
    ),
    Row(
        ACCOUNT_OFF,
        "admin action organizations.serviceaccount disable",
        lambda s: s.action(s.robot, "disable"),
    ),
    Row(
        ACCOUNT_OFF,
        "admin page organizations.serviceaccount",
        lambda s: s.staff_page(s.robot, enabled=None),
    ),
    Row(
        ACCESS_OFF,
        "admin page organizations.organization",
        lambda s: s.staff_page(s.acme, api_access_enabled=None),
    ),
    Row(
        ALL_LOWERED,
        "admin page organizations.organization",
        lambda s: s.staff_page(s.acme, rate_limit_tier="high"),
    ),
    # Commands, and a view of a product's own that wraps the service in a transaction
    Row(
        REVOKED,
        "command revoke_api_key",
        lambda s: Command(("revoke_api_key", s.victim.key.public_id)),
    ),
    Row(
        REVOKED,
        "POST product/offboard/<str:id>/",
        lambda s: Request("POST", f"/product/offboard/{s.victim.key.public_id}/", {}),
    ),
]

"""Forms whose body arrives after a user's permissions were revoked have no effect."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import uuid4

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.urls import reverse

from apikeys.services import Issued, set_api_key_enabled
from organizations import services
from organizations.models import AuditEvent, Follower, Membership, Organization, User
from organizations.roles import Role
from tests.admin.support import change, page
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
from tests.reliability.faults.held import HeldRequest, held_lock, is_waiting
from tests.reliability.faults.wires import Browser, Request, Wire
from tests.reliability.live.conftest import Server
from tests.security.matrix import world as worlds
from tests.security.matrix.table import MATRIX
from tests.support.following import eventually

#: Every form of the settings pages that writes.
FORMS: Final = [
    route for route, method in MATRIX if route.startswith("o/<slug:slug>/") and method == "POST"
]
_TEMPLATE: Final = {"name": "Late", "description": "Late", "scopes": ["search:read"]}
_FIELDS: Final[dict[str, dict[str, Any]]] = {
    "settings/": {"name": "Renamed late"},
    "settings/expiry/": {"default_key_days": "90"},
    "close/": {"typed": "<name>"},
    "members/invite/": {"email": "late@example.com", "role": "member"},
    "role/": {"role": "admin"},
    "keys/delete/": {"key": "<str:key_id>", "typed": "delete"},
    "keys/disable/": {"key": "<str:key_id>"},
    "keys/enable/": {"key": "<disabled>"},
    "keys/create/": {"name": "Late", "environment": "live", "permissions": "standard"},
    "keys/<str:key_id>/edit/": _TEMPLATE,
    "rotate/": {"grace": "0"},
    "switch/": {"enabled": "no"},
    "templates/create/": _TEMPLATE,
    "templates/<str:template_id>/edit/": _TEMPLATE,
    "service-accounts/create/": {"name": "Late"},
    "service-accounts/<str:account_id>/edit/": {"name": "Late"},
}


@dataclass(frozen=True, slots=True)
class Office:
    """An organization with an admin whose forms are late, and a member of staff."""

    acme: Organization
    admin: User
    staff: User
    places: dict[str, Any]

    @classmethod
    def make(cls) -> "Office":
        acme = OrganizationFactory.create()
        admin = MembershipFactory.create(organization=acme, role=Role.ADMIN).user
        key: Issued = IssuedKeyFactory.create(organization=acme)
        disabled: Issued = IssuedKeyFactory.create(organization=acme)
        set_api_key_enabled(disabled.key, enabled=False, actor=SYSTEM)
        places = {
            "<name>": acme.name,
            "<disabled>": disabled.key.public_id,
            "<slug:slug>": acme.slug,
            "<str:key_id>": key.key.public_id,
            "<str:template_id>": TemplateFactory.create(organization=acme).public_id,
            "<str:account_id>": ServiceAccountFactory.create(organization=acme).public_id,
            "<uuid:member_id>": MembershipFactory.create(organization=acme).pk,
            "<uuid:invitation_id>": InvitationFactory.create(organization=acme).pk,
        }
        staff = UserFactory.create(is_staff=True, is_superuser=True)
        return cls(acme, admin, staff, places)

    def request(self, browser: Browser, route: str) -> Request:
        """A form of a settings page, long enough to be held."""
        path = f"/{route}"
        for place, value in self.places.items():
            path = path.replace(place, str(value))
        known = max((end for end in _FIELDS if route.endswith(end)), key=len, default="")
        fields = {"submission": uuid4(), "do": "revoke", **_FIELDS.get(known, {})}
        named = self.places.get
        fields = {k: named(v, v) if isinstance(v, str) else v for k, v in fields.items()}
        return browser.post(path, fields)


def _remove(office: Office) -> None:
    membership = Membership.objects.get(user=office.admin, organization=office.acme)
    services.remove_member(membership, actor=SYSTEM)


def _demote(office: Office) -> None:
    membership = Membership.objects.get(user=office.admin, organization=office.acme)
    services.change_role(membership, role=Role.MEMBER, actor=SYSTEM)


def _deactivate(office: Office) -> None:
    office.admin.is_active = False
    services.save_person(office.admin, changed=["is_active"], actor=SYSTEM)


def _sign_out(office: Office) -> None:
    """As the action of the administration does: all of the person's sessions end."""
    services.end_sessions(office.admin, actor=SYSTEM)
    Session.objects.all().delete()  # sessions that the tests made are not in the person's list


_WITHDRAWALS: Final[dict[str, Callable[[Office], None]]] = {
    "removed": _remove,
    "made a member": _demote,
    "deactivated": _deactivate,
    "signed out everywhere": _sign_out,
}


def _late(request: Request, server: Server, act: Callable[[], None]) -> list[str]:
    """The tables that a form has changed whose end comes after `act`."""
    with HeldRequest(server.address, request) as held:
        act()
        before, events = worlds.fingerprint(), AuditEvent.objects.count()
        held.finish()
    assert AuditEvent.objects.count() == events
    return [table for table in worlds.changed_since(before) if table != Follower._meta.label]


def test_a_held_form_is_accepted_if_nothing_is_withdrawn(server: Server) -> None:
    """The other tests send good forms."""
    idle = []
    for route in FORMS:
        office = Office.make()
        before = AuditEvent.objects.count()
        request = office.request(Browser.of(server, office.admin), route)
        with HeldRequest(server.address, request) as held:
            held.finish()
        if AuditEvent.objects.count() == before:
            idle.append(route)

    assert idle == ["o/<slug:slug>/settings/developer/test/"]


@pytest.mark.parametrize("name", _WITHDRAWALS)
def test_a_form_that_ends_after_the_withdrawal_does_nothing(server: Server, name: str) -> None:
    written = {}
    for route in FORMS:
        if name == "made a member" and route.endswith("leave/"):
            continue  # members may leave as well
        office = Office.make()
        request = office.request(Browser.of(server, office.admin), route)
        written[route] = _late(request, server, partial(_WITHDRAWALS[name], office))

    assert {route: tables for route, tables in written.items() if tables} == {}


def _deactivate_staff(staff: User) -> None:
    staff.is_active = False
    services.save_person(staff, changed=["is_active"], actor=SYSTEM)


def _take_staff_away(staff: User) -> None:
    staff.is_staff = False
    services.save_person(staff, changed=["is_staff"], actor=SYSTEM)


def _deactivate_staff_of(office: Office) -> None:
    _deactivate_staff(office.staff)


def _take_staff_away_from(office: Office) -> None:
    _take_staff_away(office.staff)


def _end_session(staff: User) -> None:
    Session.objects.all().delete()


@pytest.mark.parametrize("act", [_deactivate_staff, _take_staff_away, _end_session])
def test_a_form_of_the_administration_that_ends_too_late_does_nothing(
    server: Server, act: Callable[[User], None]
) -> None:
    written = {}
    office = Office.make()
    key = IssuedKeyFactory.create(organization=office.acme).key
    forms: dict[str, tuple[str, dict[str, Any]]] = {
        "page": (change(office.acme), {"name": "Late", "rate_limit_tier": "high"}),
        "action": (
            page(type(key)),
            {"action": "disable", "_selected_action": key.pk, "index": 0},
        ),
        "new key": (
            reverse("admin:apikeys_apikey_add"),
            {
                "organization": office.acme.pk,
                "name": "Late",
                "environment": "live",
                "scopes": ["search:read"],
            },
        ),
        "person": (
            reverse("admin:organizations_user_add"),
            {"email": "late@example.com", "name": "Late"},
        ),
    }
    for name, (path, fields) in forms.items():
        staff = UserFactory.create(is_staff=True, is_superuser=True)
        request = Browser.of(server, staff).post(path, fields)
        written[name] = _late(request, server, partial(act, staff))

    assert {name: tables for name, tables in written.items() if tables} == {}


def test_those_forms_of_the_administration_are_good(server: Server) -> None:
    office = Office.make()
    browser = Browser.of(server, office.staff)
    before = AuditEvent.objects.count()
    fields = {"name": "Late", "rate_limit_tier": "high", "api_access_enabled": "on"}
    request = browser.post(change(office.acme), fields)
    with HeldRequest(server.address, request) as held:
        answer = held.finish()

    assert answer.status == 302
    assert AuditEvent.objects.count() == before + 2


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite shows no waiting locks")
@pytest.mark.parametrize(
    "act", [_remove, _demote, _deactivate, _deactivate_staff_of, _take_staff_away_from]
)
def test_a_form_that_waits_in_its_transaction_is_judged_when_it_goes_on(
    server: Server, act: Callable[[Office], None]
) -> None:
    office = Office.make()
    by_staff = act in (_deactivate_staff_of, _take_staff_away_from)
    browser = Browser.of(server, office.staff if by_staff else office.admin)
    path = change(office.acme) if by_staff else f"/o/{office.acme.slug}/settings/"
    request = browser.post(path, {"name": "Late", "rate_limit_tier": "high"})
    asking = threading.Thread(target=partial(_ask, server, request))
    with held_lock(office.acme):
        asking.start()
        eventually(is_waiting)
        act(office)
    asking.join()

    office.acme.refresh_from_db()
    assert office.acme.name != "Late"
    assert office.acme.rate_limit_tier == "standard"
    assert office.acme.api_access_enabled


def _ask(server: Server, request: Request) -> None:
    with Wire(server) as wire:
        wire.send(request)

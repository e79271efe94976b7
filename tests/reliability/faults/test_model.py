"""After any sequence of operations on keys, the API agrees with a model about each secret."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from apikeys.models import ApiKey
from core import ids, transactions
from organizations import services as organization_services
from organizations.models import Membership, Organization
from organizations.roles import Role
from tests.admin.support import enter
from tests.conftest import ALL_SCOPES
from tests.factories import (
    SYSTEM,
    IssuedKeyFactory,
    MembershipFactory,
    OrganizationFactory,
)
from tests.reliability.live.conftest import Server, rounds, running
from tests.reliability.live.test_admins_race import post_form

SEQUENCES = rounds("SEQUENCES", 4)
STEPS = rounds("STEPS", 15)
_numbers = count()


@dataclass
class Key:
    """What a key is, and its secrets: the last is current, the one before may still work."""

    id: str
    name: str
    secrets: list[str]
    ended: set[str] = field(default_factory=set)
    revoked: bool = False
    expired: bool = False
    disabled: bool = False

    @property
    def status(self) -> str:
        states = {"revoked": self.revoked, "expired": self.expired, "disabled": self.disabled}
        return next((name for name, holds in states.items() if holds), "active")

    @property
    def overlaps(self) -> bool:
        return len(self.secrets) > 1 and self.secrets[-2] not in self.ended

    def code(self, secret: str, access: bool) -> str:
        """How a call with the secret ends."""
        if self.revoked:
            return "key_revoked"
        if secret in self.ended:
            return "key_rotated"
        if self.status != "active":
            return f"key_{self.status}"
        return "ok" if access else "api_access_disabled"


class Model(RuleBasedStateMachine):
    """An organization, its keys, its two people, and the calls that change them."""

    server: Server
    keys = Bundle("keys")

    @initialize()
    def begin(self) -> None:
        self.acme: Organization = OrganizationFactory.create(name=f"Acme {next(_numbers)}")
        organization_services.set_rate_limit_tier(self.acme, tier="maximum", actor=SYSTEM)
        MembershipFactory.create(organization=self.acme)
        self.manager = IssuedKeyFactory.create(
            organization=self.acme, name="Manager", scopes=ALL_SCOPES
        )
        self.access, self.known = True, list[Key]()
        people = self.acme.memberships.order_by("pk").select_related("user")
        self.people: list[Membership] = list(people)
        self.roles = [person.role for person in people]
        self.sessions = [session_of(person) for person in people]

    def _call(self, method: str, path: str, expected: int, **body: Any) -> Any:
        """A call of the manager; refused like every other while API access is off."""
        answer = self.server.call(method, path, key=self.manager, body=body or None)
        assert answer.status_code == (expected if self.access else 403), answer.text
        return answer.json()

    @rule(target=keys, name=st.sampled_from(["Red", "Green", "Blue"]))
    def create(self, name: str) -> Any:
        taken = any(key.name == name and not key.revoked for key in self.known)
        body = {"name": name, "scopes": ["search:read"]}
        made = self._call("POST", "/v1/api-keys", 409 if taken else 201, **body)
        if not self.access or taken:
            return self.known[-1] if self.known else None
        self.known.append(Key(made["id"], name, [made["key"]]))
        return self.known[-1]

    @rule(key=keys, force=st.booleans(), grace=st.sampled_from([0, 3600]))
    def rotate(self, key: Key | None, force: bool, grace: int) -> None:
        if key is None:
            return
        refused = key.revoked or key.expired or (key.overlaps and not force)
        path = f"/v1/api-keys/{key.id}/rotate"
        made = self._call("POST", path, 409 if refused else 200, force=force, grace_period=grace)
        if self.access and not refused:
            key.ended |= set(key.secrets[:-1] if grace else key.secrets)
            key.secrets.append(made["key"])

    @rule(key=keys)
    def revoke(self, key: Key | None) -> None:
        if key is not None:
            self._call("DELETE", f"/v1/api-keys/{key.id}", 200)
            key.revoked |= self.access

    @rule(key=keys, enabled=st.booleans())
    def enable(self, key: Key | None, enabled: bool) -> None:
        if key is not None:
            expected = 409 if key.revoked else 200
            self._call("PATCH", f"/v1/api-keys/{key.id}", expected, enabled=enabled)
            if self.access and not key.revoked:
                key.disabled = not enabled

    @rule(key=keys)
    def expire(self, key: Key | None) -> None:
        if key is not None:
            with transactions.allowed():
                past = timezone.now() - timedelta(minutes=1)
                ApiKey.objects.filter(pk=str(ids.read_id("key", key.id))).update(expires_at=past)
            key.expired = True

    @rule()
    def switch_access(self) -> None:
        self.access = not self.access
        organization_services.set_api_access(self.acme, enabled=self.access, actor=SYSTEM)

    @rule(actor=st.integers(0, 1), whom=st.integers(0, 1), role=st.sampled_from(list(Role)))
    def change_role(self, actor: int, whom: int, role: Role) -> None:
        path = f"/o/{self.acme.slug}/settings/members/{self.people[whom].pk}/role/"
        status = post_form(self.server, path, self.sessions[actor], role=role)
        last = self.roles[whom] == Role.ADMIN and self.roles.count(Role.ADMIN) == 1
        if self.roles[actor] != Role.ADMIN:
            assert status == 403
        elif last and role == Role.MEMBER:
            assert status == 409
        else:
            assert status == 303
            self.roles[whom] = role

    @invariant()
    def every_secret_is_what_the_model_says(self) -> None:
        for key in getattr(self, "known", []):
            for secret in key.secrets:
                answer = self.server.call("GET", "/v1/api-keys/current", key=secret)
                code = answer.json()["error"]["code"] if answer.is_error else "ok"
                assert code == key.code(secret, self.access)

    @invariant()
    def the_list_is_what_the_model_says(self) -> None:
        if getattr(self, "access", False):
            listed = self._call("GET", "/v1/api-keys?limit=100", 200)["data"]
            shown = {item["id"]: item["status"] for item in listed}
            assert {key.id: shown[key.id] for key in self.known} == {
                key.id: key.status for key in self.known
            }
            assert len(shown) == len(self.known) + 1

    @invariant()
    def the_roles_are_what_the_model_says(self) -> None:
        if hasattr(self, "roles"):
            people = Membership.objects.filter(organization=self.acme).order_by("pk")
            assert [person.role for person in people] == self.roles
            assert Role.ADMIN in self.roles


def session_of(person: Membership) -> str:
    """The cookie of a browser in which somebody has just signed in."""
    return enter(Client(), person.user).cookies["sessionid"].value


@pytest.fixture
def server(committed: None, tmp_path: Path) -> Iterator[Server]:
    """Without leases: every call looks at the state of the moment."""
    with running(tmp_path / "server.log", API_KEY_LEASE="0") as server:
        yield server


def test_any_sequence_of_changes_ends_as_the_model_says(server: Server, report: Any) -> None:
    limits = settings(
        max_examples=SEQUENCES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=SEQUENCES < 10,  # the same ones whenever the tests run; others when asked to
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    machine = type("Machine", (Model,), {"server": server})
    run_state_machine_as_test(machine, settings=limits)
    report(f"{connection.vendor}: {SEQUENCES:,} sequences of {STEPS} steps, as the model says")

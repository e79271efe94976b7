"""All formats share one rate limit, one audit log and one set of rules."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations import services
from organizations.models import AuditEvent, Organization
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.api import MakeKey, stored
from tests.support.client import ApiClient
from tests.support.dialects import DIALECTS, Dialect
from tests.support.domain import at_once


def test_the_budget_of_a_key_is_one(
    call: ApiClient, acme: Organization, manager: Issued, set_limit: Callable[[int], None]
) -> None:
    set_limit(6)

    answers = [
        call("GET", dialect.keys(acme), key=manager) for _ in range(3) for dialect in DIALECTS
    ]

    assert [answer.status for answer in answers] == [200] * 6 + [429] * 3
    for refused in answers[6:]:
        assert refused.headers["Retry-After"].isdecimal()
        assert refused.refusal.message.startswith("Too many requests with this API key.")


def test_names_are_unique_across_formats(
    committed: None, call: ApiClient, acme: Organization, manager: Issued
) -> None:
    def create(dialect: Dialect) -> Callable[[], Any]:
        body = dialect.body(name="Same", scopes=["search:read"])
        return lambda: call("POST", dialect.keys(acme), body, key=manager).status

    statuses = at_once([create(dialect) for dialect in DIALECTS * 2])

    assert sorted(statuses)[1:] == [409] * 5
    assert ApiKey.objects.filter(name="Same").count() == 1


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("none", "active"),
        ("disabled", "revoked"),
        ("account off", "revoked"),
    ],
)
def test_the_formats_agree_about_a_key(
    call: ApiClient,
    acme: Organization,
    manager: Issued,
    make_key: MakeKey,
    change: str,
    status: str,
) -> None:
    account = ServiceAccountFactory.create(organization=acme)
    key = make_key(name="Target", service_account=account).key
    if change == "disabled":
        call("PATCH", f"/envelope/v1/api-keys/{key.pk}", {"enabled": False}, key=manager)
    if change == "account off":
        services.set_service_account_enabled(account, enabled=False, actor=SYSTEM)

    listed = {
        str(d): next(
            d.key(item)
            for item in d.items(call("GET", d.keys(acme), key=manager).body)
            if item["name"] == "Target"
        )
        for d in DIALECTS
    }

    same = ("name", "key_prefix", "created_at")
    assert len({tuple(seen[name] for name in same) for seen in listed.values()}) == 1
    assert listed["workspace"]["status"] == status
    assert listed["canonical"]["enabled"] is (change != "disabled")


#: Names that some format gives to fields of its own, and some that trouble careless code.
THEIRS = {
    name: f"value of {name}"
    for name in (
        *("expires_at", "expiresAt", "scope", "serviceAccountId", "workspace_id", "status"),
        *("Snake_Case", "camelCase", "with.dot", "with space", "__proto__", "constructor", "ключ"),
    )
}


def test_metadata_comes_back_as_it_was_sent_whatever_the_formats_do_to_the_key(
    call: ApiClient, acme: Organization, manager: Issued
) -> None:
    body = {"name": "Target", "scopes": ["search:read"], "metadata": THEIRS}
    address = call("POST", "/v1/api-keys", body, key=manager).headers["Location"]
    seen = [call("GET", address, key=manager).body["metadata"]]
    changes = [
        ("PATCH", f"/envelope{address}", {"description": "changed", "scope": "read"}),
        ("POST", f"/envelope{address}/rotate", {"gracePeriod": 60}),
        ("PATCH", address, {"name": "Renamed"}),
        ("DELETE", f"/api/v1/workspaces/{acme.pk}{address.removeprefix('/v1')}", None),
    ]

    for method, path, change in changes:
        assert call(method, path, change, key=manager).status == 200
        seen.append(call("GET", address, key=manager).body["metadata"])

    assert seen == [THEIRS] * 5


def test_one_trail_tells_of_every_format(
    call: ApiClient, acme: Organization, manager: Issued
) -> None:
    """The same event with the same data, whatever the words in which it was asked for."""
    for dialect in DIALECTS:
        body = dialect.body(name=f"By {dialect}", scopes=["search:read"])
        made = dialect.data(call("POST", dialect.keys(acme), body, key=manager).body)
        call("DELETE", f"{dialect.keys(acme)}/{made['id']}", key=manager)

    trail = AuditEvent.objects.filter(actor_id=manager.key.pk).order_by("id")

    assert [e.event for e in trail] == ["api_key.created", "api_key.revoked"] * 3
    assert {e.organization_id for e in trail} == {acme.pk}
    assert len({e.request_id for e in trail}) == 6
    assert len({tuple(sorted(e.details)) for e in trail if e.event == "api_key.created"}) == 1


OWN, FOREIGN, MISSING, GARBAGE = "own", "foreign", "missing", "garbage"


@pytest.mark.parametrize("who", ["manager", "foreigner", "nobody", "garbage"])
@pytest.mark.parametrize("header", [OWN, FOREIGN, MISSING, GARBAGE, "uuid"])
@pytest.mark.parametrize("path", [OWN, FOREIGN, "never", GARBAGE])
def test_workspace_header_path_and_key_agree_or_nothing_happens(
    call: ApiClient,
    acme: Organization,
    globex: Organization,
    manager: Issued,
    foreigner: Issued,
    path: str,
    header: str,
    who: str,
) -> None:
    """Own: of Acme, whose manager asks; foreign: of Globex."""
    ids = {
        OWN: acme.public_id,
        "uuid": str(acme.pk),
        FOREIGN: str(globex.pk),
        "never": str(uuid4()),
        GARBAGE: "x'--%E2%80%AE",
    }
    keys: dict[str, Issued | str] = {"manager": manager, "foreigner": foreigner, "garbage": "no"}
    for key in (manager, foreigner):
        call("GET", "/v1/api-keys/current", key=key)
    before = stored()

    answer = call(
        "POST",
        f"/api/v1/workspaces/{ids[path]}/api-keys",
        {"name": "New"},
        key=keys.get(who),
        headers={"X-Workspace-ID": ids[header]} if header != MISSING else {},
    )

    allowed = {
        "manager": path == OWN and header in (OWN, "uuid", MISSING),
        "foreigner": path == FOREIGN and header in (FOREIGN, MISSING),
    }
    if allowed.get(who):
        assert answer.status == 201
        return
    assert answer.status == (401 if who in ("nobody", "garbage") else 404)
    assert stored() == before

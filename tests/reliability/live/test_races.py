"""Exactly one of many concurrent requests wins. The others get a 409 and leave nothing behind."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from apikeys.models import ApiKey, ApiKeySecret
from apikeys.services import Issued
from organizations.models import AuditEvent, Organization
from organizations.services import set_key_limit
from tests.factories import SYSTEM
from tests.reliability.live.conftest import Server, at_once
from tests.support.dialects import CANONICAL, DIALECTS, Dialect, that_can

Events = Callable[[str], list[AuditEvent]]


@that_can("create")
def test_one_of_64_creates_of_one_name_wins(
    server: Server, dialect: Dialect, acme: Organization, manager: Issued, events: Events
) -> None:
    before = len(events("api_key.created"))
    body = dialect.body(name="Production", scopes=["search:read"])
    keys = dialect.keys(acme)

    answers = at_once(64, lambda _: server.insist("POST", keys, key=manager, body=body))

    assert Counter(a.status_code for a in answers) == {dialect.created: 1, 409: 63}
    assert all(dialect.refusal(a.json()) for a in answers if a.status_code == 409)
    assert ApiKey.objects.filter(name="Production").count() == 1
    assert ApiKeySecret.objects.filter(key__name="Production").count() == 1
    assert len(events("api_key.created")) == before + 1


def test_one_of_64_creates_in_any_format_wins(
    server: Server, acme: Organization, manager: Issued, events: Events
) -> None:
    before = len(events("api_key.created"))

    def create(number: int) -> int:
        dialect = DIALECTS[number % len(DIALECTS)]
        body = dialect.body(name="Production", scopes=["search:read"])
        return server.insist("POST", dialect.keys(acme), key=manager, body=body).status_code

    statuses = Counter(at_once(64, create))

    assert (statuses[200] + statuses[201], statuses[409]) == (1, 63)
    assert len(events("api_key.created")) == before + 1


def test_of_64_creates_at_once_as_many_are_made_as_there_is_room_for(
    server: Server, acme: Organization, manager: Issued, tester: Issued, events: Events
) -> None:
    """In every format, by a live key and a test key."""
    before, room = len(events("api_key.created")), 5
    set_key_limit(acme, limit=ApiKey.objects.unrevoked().count() + room, actor=SYSTEM)

    def create(number: int) -> tuple[int, str | None]:
        dialect = DIALECTS[number % len(DIALECTS)]
        key = tester if number % 2 else manager
        body = dialect.body(name=f"Key {number}", scopes=["search:read"])
        answer = server.insist("POST", dialect.keys(acme), key=key, body=body)
        refused = answer.status_code == 409
        return answer.status_code, dialect.refusal(answer.json()).code if refused else None

    answers = at_once(64, create)

    statuses = Counter(status for status, _ in answers)
    assert (statuses[200] + statuses[201], statuses[409]) == (room, 64 - room)
    assert {code for status, code in answers if status == 409} == {"key_limit_reached", None}
    assert ApiKey.objects.filter(name__startswith="Key ").count() == room
    assert ApiKeySecret.objects.filter(key__name__startswith="Key ").count() == room
    assert len(events("api_key.created")) == before + room


@that_can("update")
def test_one_of_64_renames_to_one_name_wins(
    server: Server,
    dialect: Dialect,
    acme: Organization,
    manager: Issued,
    make_key: Callable[..., Issued],
    events: Events,
) -> None:
    keys = [make_key().key for _ in range(64)]

    def rename(number: int) -> int:
        address = f"{dialect.keys(acme)}/{keys[number].public_id}"
        return server.insist("PATCH", address, key=manager, body={"name": "Wanted"}).status_code

    assert Counter(at_once(64, rename)) == {200: 1, 409: 63}
    assert ApiKey.objects.filter(name="Wanted").count() == 1
    assert len(events("api_key.updated")) == 1


@that_can("rotate")
def test_one_of_16_rotations_wins(
    server: Server,
    dialect: Dialect,
    acme: Organization,
    manager: Issued,
    make_key: Callable[..., Issued],
    events: Events,
) -> None:
    key = make_key()
    address = f"{dialect.keys(acme)}/{key.key.public_id}/rotate"

    answers = at_once(16, lambda _: server.insist("POST", address, key=manager))

    assert Counter(a.status_code for a in answers) == {200: 1, 409: 15}
    refusals = {dialect.refusal(a.json()).code for a in answers if a.status_code == 409}
    assert refusals == {"rotation_in_progress"}
    assert key.key.secrets.count() == 2
    assert len(events("api_key.rotated")) == 1
    winner = next(dialect.data(a.json())["key"] for a in answers if a.status_code == 200)
    assert server.statuses(winner, 4) + server.statuses(key, 4) == [200] * 8


@that_can("rotate")
def test_forced_rotations_at_once_leave_one_current_secret_that_somebody_holds(
    server: Server,
    dialect: Dialect,
    acme: Organization,
    manager: Issued,
    make_key: Callable[..., Issued],
) -> None:
    key = make_key()
    address = f"{dialect.keys(acme)}/{key.key.public_id}/rotate"
    body = dialect.body(force=True, grace_period=0)

    answers = at_once(16, lambda _: server.insist("POST", address, key=manager, body=body))

    secrets = [dialect.data(a.json())["key"] for a in answers if a.status_code == 200]
    assert {a.status_code for a in answers} <= {200, 409}
    assert key.key.secrets.current().count() == 1
    assert [server.call("GET", "/v1/api-keys/current", key=s).status_code for s in secrets].count(
        200
    ) == 1


@that_can("rotate", "revoke")
def test_a_rotation_beside_a_revocation_never_leaves_a_working_key(
    server: Server,
    dialect: Dialect,
    acme: Organization,
    manager: Issued,
    make_key: Callable[..., Issued],
    events: Events,
) -> None:
    for _ in range(4):
        key = make_key()
        address = f"{dialect.keys(acme)}/{key.key.public_id}"

        def rotate_or_revoke(number: int, address: str = address) -> tuple[int, str]:
            if number % 2:
                return server.insist("DELETE", address, key=manager).status_code, ""
            answer = server.insist("POST", f"{address}/rotate", key=manager)
            return answer.status_code, (dialect.data(answer.json()) or {}).get("key", "")

        answers = at_once(8, rotate_or_revoke)

        assert {status for status, _ in answers} <= {200, 409}
        secrets = [key.secret, *filter(None, (secret for _, secret in answers))]
        assert {s for secret in secrets for s in server.statuses(secret, 2)} == {401}
    assert len(events("api_key.revoked")) == 4


@that_can("update")
def test_updates_at_once_are_all_kept(
    server: Server,
    dialect: Dialect,
    acme: Organization,
    manager: Issued,
    make_key: Callable[..., Issued],
    events: Events,
) -> None:
    key = make_key()
    changes: list[tuple[Dialect, dict[str, Any]]] = [
        (dialect, {"name": "Renamed"}),
        (dialect, {"description": "Described"}),
        (CANONICAL, {"metadata": {"a": "b"}}),
        (dialect, {"enabled": False}),
    ]

    def change(number: int) -> int:
        asked, body = changes[number]
        address = f"{asked.keys(acme)}/{key.key.public_id}"
        return server.insist("PATCH", address, key=manager, body=body).status_code

    assert at_once(4, change) == [200] * 4
    stored = ApiKey.objects.get(pk=key.key.pk)
    assert (stored.name, stored.description, stored.metadata, stored.enabled) == (
        "Renamed",
        "Described",
        {"a": "b"},
        False,
    )
    assert len(events("api_key.updated")) + len(events("api_key.disabled")) == 4


def test_overlapping_lists_that_are_revoked_at_once_are_all_revoked(
    server: Server, manager: Issued, make_key: Callable[..., Issued], events: Events
) -> None:
    """Each in another order: none waits for another in a circle, and each key ends once."""
    keys = [make_key() for _ in range(10)]

    def revoke(number: int) -> Any:
        first = number % len(keys)
        chosen = [key.key.public_id for key in (keys[first:] + keys[:first])[:7]]
        return server.insist("POST", "/v1/api-keys/revoke", key=manager, body={"ids": chosen})

    answers = at_once(16, revoke)

    assert Counter(answer.status_code for answer in answers) == {200: 16}
    ends = {(shown["id"], shown["revoked_at"]) for a in answers for shown in a.json()["data"]}
    assert len(ends) == len(keys)
    assert len(events("api_key.revoked")) == len(keys)
    assert {status for key in keys for status in server.statuses(key, 2)} == {401}


def test_of_a_bad_list_beside_good_ones_nothing_is_revoked(
    server: Server, manager: Issued, foreigner: Issued, make_key: Callable[..., Issued]
) -> None:
    good, spared = [make_key().key.public_id for _ in range(4)], make_key()

    def revoke(number: int) -> int:
        bad = [*good, spared.key.public_id, foreigner.key.public_id]
        body = {"ids": bad if number % 2 else good}
        return server.insist("POST", "/v1/api-keys/revoke", key=manager, body=body).status_code

    assert Counter(at_once(8, revoke)) == {200: 4, 404: 4}
    assert set(server.statuses(spared, 4)) == {200}

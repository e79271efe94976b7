"""Races of live/test_races.py in rounds, and others: exactly one request wins each."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from apikeys.models import ApiKey, ApiKeySecret
from apikeys.services import Issued, revoke_api_key
from core import revocation_wait
from organizations.models import AuditEvent, Organization
from organizations.services import set_key_limit, set_rate_limit_tier
from tests.factories import SYSTEM
from tests.reliability.live.conftest import Server, at_once, rounds

ROUNDS = rounds("RACE_ROUNDS", 2)

Events = Callable[[str], list[AuditEvent]]


@pytest.fixture(autouse=True)
def _no_limit_ends_it(acme: Organization, server: Server) -> None:
    """Many rounds in a minute."""
    set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)


def test_one_of_64_creates_of_one_name_wins(
    server: Server, manager: Issued, events: Events
) -> None:
    for number in range(ROUNDS):
        before = len(events("api_key.created"))
        name = f"Production {number}"

        def create(_: int, name: str = name) -> int:
            body = {"name": name, "scopes": ["search:read"]}
            return server.insist("POST", "/v1/api-keys", key=manager, body=body).status_code

        assert Counter(at_once(64, create)) == {201: 1, 409: 63}
        assert ApiKey.objects.filter(name=name).count() == 1
        assert ApiKeySecret.objects.filter(key__name=name).count() == 1
        assert len(events("api_key.created")) == before + 1


def test_of_64_creates_at_once_as_many_win_as_there_is_room_for(
    server: Server, acme: Organization, manager: Issued, events: Events
) -> None:
    room = 5
    set_key_limit(acme, limit=1 + room, actor=SYSTEM)  # the manager is one of them
    for number in range(ROUNDS):
        before = len(events("api_key.created"))

        def create(place: int, number: int = number) -> tuple[int, str]:
            body = {"name": f"Round {number}, {place}", "scopes": ["search:read"]}
            answer = server.insist("POST", "/v1/api-keys", key=manager, body=body)
            code = answer.json()["error"]["code"] if answer.is_error else ""
            return answer.status_code, code

        answers = Counter(at_once(64, create))

        assert answers == {(201, ""): room, (409, "key_limit_reached"): 64 - room}
        made = list(ApiKey.objects.unrevoked().exclude(pk=manager.key.pk))
        assert len(made) == ApiKeySecret.objects.filter(key__in=made).count() == room
        assert len(events("api_key.created")) == before + room
        with revocation_wait.wait_once():
            for key in made:
                revoke_api_key(key, actor=SYSTEM)


def test_one_of_64_renames_to_one_name_wins(
    server: Server, manager: Issued, make_key: Callable[..., Issued], events: Events
) -> None:
    keys = [make_key().key for _ in range(64)]
    for round_ in range(ROUNDS):
        name = f"Wanted {round_}"

        def rename(number: int, name: str = name) -> int:
            address = f"/v1/api-keys/{keys[number].public_id}"
            return server.insist("PATCH", address, key=manager, body={"name": name}).status_code

        assert Counter(at_once(64, rename)) == {200: 1, 409: 63}
        assert ApiKey.objects.filter(name=name).count() == 1
    assert len(events("api_key.updated")) == ROUNDS


def test_one_of_16_rotations_wins(
    server: Server, manager: Issued, make_key: Callable[..., Issued], events: Events
) -> None:
    for number in range(ROUNDS):
        key = make_key()
        answers = _rotate_at_once(server, manager, key)

        assert Counter(a.status_code for a in answers) == {200: 1, 409: 15}
        assert {a.json()["error"]["code"] for a in answers if a.status_code == 409} == {
            "rotation_in_progress"
        }
        assert key.key.secrets.count() == 2
        assert len(events("api_key.rotated")) == number + 1
        winner = next(a.json()["key"] for a in answers if a.status_code == 200)
        assert server.statuses(winner, 4) + server.statuses(key, 4) == [200] * 8


def test_forced_rotations_at_once_leave_one_current_secret_that_somebody_holds(
    server: Server, manager: Issued, make_key: Callable[..., Issued]
) -> None:
    for _ in range(ROUNDS):
        key = make_key()
        answers = _rotate_at_once(server, manager, key, force=True, grace_period=0)

        secrets = [a.json()["key"] for a in answers if a.status_code == 200]
        assert {a.status_code for a in answers} <= {200, 409}
        assert key.key.secrets.current().count() == 1
        assert [server.statuses(secret, 1) for secret in secrets].count([200]) == 1


def _rotate_at_once(
    server: Server, manager: Issued, key: Issued, **body: Any
) -> list[httpx.Response]:
    address = f"/v1/api-keys/{key.key.public_id}/rotate"
    return at_once(16, lambda _: server.insist("POST", address, key=manager, body=body or None))


def test_a_rotation_beside_a_revocation_never_leaves_a_working_key(
    server: Server, manager: Issued, make_key: Callable[..., Issued], events: Events
) -> None:
    for _ in range(max(4, ROUNDS)):
        key = make_key()
        address = f"/v1/api-keys/{key.key.public_id}"

        def rotate_or_revoke(number: int, address: str = address) -> tuple[int, str]:
            if number % 2:
                return server.insist("DELETE", address, key=manager).status_code, ""
            answer = server.insist("POST", f"{address}/rotate", key=manager)
            return answer.status_code, answer.json().get("key", "")

        answers = at_once(8, rotate_or_revoke)

        assert {status for status, _ in answers} <= {200, 409}
        secrets = [key.secret, *filter(None, (secret for _, secret in answers))]
        assert {s for secret in secrets for s in server.statuses(secret, 2)} == {401}
    assert len(events("api_key.revoked")) == max(4, ROUNDS)


def test_updates_at_once_are_all_kept(
    server: Server, manager: Issued, make_key: Callable[..., Issued], events: Events
) -> None:
    key = make_key()
    address = f"/v1/api-keys/{key.key.public_id}"
    bodies: list[dict[str, Any]] = [
        {"name": "Renamed"},
        {"description": "Described"},
        {"metadata": {"a": "b"}},
        {"enabled": False},
    ]

    answers = at_once(4, lambda n: server.insist("PATCH", address, key=manager, body=bodies[n]))

    assert [a.status_code for a in answers] == [200] * 4
    stored = ApiKey.objects.get(pk=key.key.pk)
    assert (stored.name, stored.description, stored.metadata, stored.enabled) == (
        "Renamed",
        "Described",
        {"a": "b"},
        False,
    )
    assert len(events("api_key.updated")) + len(events("api_key.disabled")) == 4


def test_an_edit_beside_a_revocation_comes_first_or_not_at_all(
    server: Server, manager: Issued, make_key: Callable[..., Issued], events: Events
) -> None:
    for number in range(ROUNDS):
        key = make_key()
        address = f"/v1/api-keys/{key.key.public_id}"

        def edit_or_revoke(
            number: int, address: str = address, name: str = key.key.name
        ) -> tuple[str, int]:
            if number == 0:
                return "revoke", server.insist("DELETE", address, key=manager).status_code
            body = {"description": f"{name}, edited {number}"}
            return "edit", server.insist("PATCH", address, key=manager, body=body).status_code

        answers = Counter(at_once(8, edit_or_revoke))

        edited = answers["edit", 200]
        assert answers == +Counter(
            {("revoke", 200): 1, ("edit", 200): edited, ("edit", 409): 7 - edited}
        )
        story = [event.event for event in events("") if event.target_id == key.key.pk]
        assert story == ["api_key.created", *["api_key.updated"] * edited, "api_key.revoked"]
        assert len(events("api_key.revoked")) == number + 1


def test_a_check_beside_a_revocation_never_comes_after_it(
    server: Server, manager: Issued, make_key: Callable[..., Issued]
) -> None:
    """While the revocation is under way a call may be let in or not; after its answer none is."""
    for _ in range(ROUNDS):
        key = make_key()
        address = f"/v1/api-keys/{key.key.public_id}"
        answered: list[float] = []

        def check_or_revoke(
            number: int, key: Issued = key, address: str = address, answered: list[float] = answered
        ) -> list[tuple[float, int]]:
            if number == 0:
                assert server.insist("DELETE", address, key=manager).status_code == 200
                answered.append(time.monotonic())
                return []
            calls: list[tuple[float, int]] = []
            while not answered or len(calls) < 4:
                sent = time.monotonic()
                calls.append((sent, server.statuses(key, 1)[0]))
            return calls

        calls = [call for calls in at_once(8, check_or_revoke) for call in calls]

        # A deleted key that asks on and on gets short answers (`config.wsgi_shield`).
        assert {status for _, status in calls} <= {200, 401, 429}
        assert [status for sent, status in calls if sent > answered[0] and status == 200] == []
        assert set(server.statuses(key)) <= {401, 429}

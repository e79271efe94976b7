"""After the response to a revocation, no worker accepts the key."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from core import transactions
from organizations import services as organization_services
from organizations.models import Organization
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.reliability.live.conftest import Server

ROUNDS = 5


@pytest.fixture
def keys(server: Server, make_key: Callable[..., Issued]) -> Callable[[], Issued]:
    """Makes keys that every worker has just accepted."""

    def make() -> Issued:
        issued = make_key()
        assert set(server.statuses(issued)) == {200}
        return issued

    return make


def test_a_revoked_key_is_refused_by_every_worker(
    server: Server, manager: Issued, keys: Callable[[], Issued]
) -> None:
    for _ in range(ROUNDS):
        key = keys()

        answer = server.call("DELETE", f"/v1/api-keys/{key.key.public_id}", key=manager)

        assert answer.status_code == 200
        assert set(server.statuses(key)) == {401}


def test_a_disabled_key_is_refused_until_it_is_enabled(
    server: Server, manager: Issued, keys: Callable[[], Issued]
) -> None:
    key = keys()
    address = f"/v1/api-keys/{key.key.public_id}"

    server.call("PATCH", address, key=manager, body={"enabled": False})
    assert set(server.statuses(key)) == {401}

    server.call("PATCH", address, key=manager, body={"enabled": True})
    assert set(server.statuses(key)) == {200}


def test_the_older_secret_is_refused_once_a_forced_rotation_has_ended_it(
    server: Server, manager: Issued, keys: Callable[[], Issued]
) -> None:
    key = keys()
    address = f"/v1/api-keys/{key.key.public_id}/rotate"
    second = server.call("POST", address, key=manager).json()["key"]
    assert set(server.statuses(key, 8) + server.statuses(second, 8)) == {200}

    body = {"force": True, "grace_period": 0}
    third = server.call("POST", address, key=manager, body=body).json()["key"]

    assert set(server.statuses(key, 8) + server.statuses(second, 8)) == {401}
    assert set(server.statuses(third, 8)) == {200}


def test_a_key_is_refused_from_the_moment_of_its_expiry(
    server: Server, keys: Callable[[], Issued]
) -> None:
    key = keys()
    ends_at = timezone.now() + timedelta(seconds=1)
    with transactions.allowed():
        ApiKey.objects.filter(pk=key.key.pk).update(expires_at=ends_at)

    while timezone.now() < ends_at:
        time.sleep(0.02)

    assert set(server.statuses(key)) == {401}


def test_access_switched_off_refuses_every_key_until_it_is_on_again(
    server: Server, acme: Organization, keys: Callable[[], Issued]
) -> None:
    key = keys()

    organization_services.set_api_access(acme, enabled=False, actor=SYSTEM)
    assert set(server.statuses(key)) == {403}

    organization_services.set_api_access(acme, enabled=True, actor=SYSTEM)
    assert set(server.statuses(key)) == {200}


def test_a_disabled_service_account_refuses_its_keys(
    server: Server, acme: Organization, make_key: Callable[..., Issued]
) -> None:
    robot = ServiceAccountFactory.create(organization=acme)
    key = make_key(service_account=robot)
    assert set(server.statuses(key)) == {200}

    organization_services.set_service_account_enabled(robot, enabled=False, actor=SYSTEM)

    assert set(server.statuses(key)) == {401}


def test_a_key_revoked_by_staff_is_refused(server: Server, keys: Callable[[], Issued]) -> None:
    key = keys()

    services.revoke_api_key(key.key, actor=SYSTEM)

    assert set(server.statuses(key)) == {401}

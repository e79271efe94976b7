"""No credential makes something that outlives it."""

from collections.abc import Callable

import pytest

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations import services as organization_services
from organizations.models import Organization, ServiceAccount
from tests.client import ApiClient
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory

MakeKey = Callable[..., Issued]
BODY = {"name": "Child", "scopes": ["search:read"]}


@pytest.fixture
def robot(acme: Organization) -> ServiceAccount:
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme)
    return account


@pytest.fixture
def robot_key(make_key: MakeKey, robot: ServiceAccount) -> Issued:
    return make_key(service_account=robot, scopes=ALL_SCOPES)


def test_a_key_of_a_service_account_makes_keys_of_that_account(
    call: ApiClient, robot_key: Issued, robot: ServiceAccount
) -> None:
    answer = call("POST", "/v1/api-keys", BODY, key=robot_key)

    assert (answer.status, answer.body["service_account"]) == (201, robot.public_id)


def test_what_it_makes_stops_with_the_account(
    call: ApiClient, robot_key: Issued, robot: ServiceAccount
) -> None:
    child = call("POST", "/v1/api-keys", BODY, key=robot_key).body["key"]

    organization_services.set_service_account_enabled(robot, enabled=False, actor=SYSTEM)

    assert call("GET", "/v1/api-keys/current", key=child).status == 401


def test_it_cannot_make_keys_of_another_account(
    call: ApiClient, robot_key: Issued, acme: Organization
) -> None:
    other = ServiceAccountFactory.create(organization=acme)

    answer = call(
        "POST", "/v1/api-keys", {**BODY, "service_account": other.public_id}, key=robot_key
    )

    assert (answer.status, answer.error["code"]) == (403, "other_service_account")
    assert answer.fields == ["service_account"]
    assert not ApiKey.objects.filter(name="Child").exists()


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("POST", "/rotate", {}),
        ("PATCH", "", {"enabled": True}),
        ("PATCH", "", {"scopes": ["search:read", "events:read"]}),
    ],
)
def test_it_cannot_rotate_enable_or_widen_other_keys(
    call: ApiClient,
    robot_key: Issued,
    make_key: MakeKey,
    method: str,
    suffix: str,
    body: dict[str, object],
) -> None:
    other = make_key(scopes=["search:read"]).key
    services.set_api_key_enabled(other, enabled=False, actor=SYSTEM)

    answer = call(method, f"/v1/api-keys/{other.public_id}{suffix}", body, key=robot_key)

    assert (answer.status, answer.error["code"]) == (403, "other_service_account")
    other.refresh_from_db()
    assert not other.enabled


def test_it_can_revoke_any_key(call: ApiClient, robot_key: Issued, make_key: MakeKey) -> None:
    other = make_key().key

    assert call("DELETE", f"/v1/api-keys/{other.public_id}", key=robot_key).status == 200


def test_the_older_secret_of_an_overlap_cannot_make_itself_last(
    call: ApiClient, manager: Issued
) -> None:
    newer = call("POST", f"/v1/api-keys/{manager.key.public_id}/rotate", {}, key=manager)

    rotate = f"/v1/api-keys/{manager.key.public_id}/rotate"
    rotated = call("POST", rotate, {"force": True}, key=manager)
    created = call("POST", "/v1/api-keys", BODY, key=manager)

    assert (rotated.status, rotated.error["code"]) == (403, "exceeds_own_expiry")
    assert (created.status, created.error["code"]) == (403, "exceeds_own_expiry")
    assert call("POST", "/v1/api-keys", BODY, key=newer.body["key"]).status == 201


def test_the_older_secret_makes_keys_that_end_with_the_overlap(
    call: ApiClient, manager: Issued
) -> None:
    rotate = f"/v1/api-keys/{manager.key.public_id}/rotate"
    end = call("POST", rotate, {}, key=manager).body["previous_secret_expires_at"]

    answer = call("POST", "/v1/api-keys", {**BODY, "expires_at": end}, key=manager)

    assert answer.status == 201

"""No key can create something that outlives it, in any format."""

import pytest

from apikeys import services
from apikeys.models import ApiKey
from apikeys.services import Issued
from core.actors import Actor
from organizations import services as organization_services
from organizations.models import Organization, ServiceAccount
from tests.api.formats.conftest import Send
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.api import CURRENT, MakeKey
from tests.support.client import ApiClient
from tests.support.dialects import CANONICAL, Dialect, that_can

BODY = {"name": "Child", "scopes": ["search:read"]}
pytestmark = pytest.mark.django_db


@pytest.fixture
def robot(acme: Organization) -> ServiceAccount:
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme)
    return account


@pytest.fixture
def robot_key(make_key: MakeKey, robot: ServiceAccount) -> Issued:
    return make_key(service_account=robot, scopes=ALL_SCOPES)


def test_a_key_of_a_service_account_makes_keys_of_that_account(
    send: Send, dialect: Dialect, robot_key: Issued, robot: ServiceAccount
) -> None:
    answer = send("POST", key=robot_key, **BODY)

    assert answer.status == dialect.created
    assert ApiKey.objects.get(name="Child").service_account == robot


def test_what_it_makes_stops_with_the_account(
    call: ApiClient, send: Send, dialect: Dialect, robot_key: Issued, robot: ServiceAccount
) -> None:
    child = dialect.data(send("POST", key=robot_key, **BODY).body)["key"]
    assert call("GET", CURRENT, key=child).status == 200

    organization_services.set_service_account_enabled(robot, enabled=False, actor=SYSTEM)

    assert call("GET", CURRENT, key=child).status == 401


@that_can("update")
def test_it_cannot_make_keys_of_another_account(
    send: Send, dialect: Dialect, robot_key: Issued, acme: Organization
) -> None:
    other = ServiceAccountFactory.create(organization=acme)

    answer = send("POST", key=robot_key, **BODY, service_account=other.public_id)

    assert (answer.status, answer.refusal.fields) == (403, (dialect.sends["service_account"],))
    assert not ApiKey.objects.filter(name="Child").exists()


@that_can("update", "rotate")
@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("POST", "/rotate", {}),
        ("PATCH", "", {"enabled": True}),
        ("PATCH", "", {"scopes": ["search:read", "events:read"]}),
        ("PATCH", "", {"scope": "read-write"}),
    ],
)
def test_it_cannot_rotate_enable_or_widen_other_keys(
    call: ApiClient,
    dialect: Dialect,
    acme: Organization,
    robot_key: Issued,
    make_key: MakeKey,
    method: str,
    suffix: str,
    body: dict[str, object],
) -> None:
    other = make_key(scopes=["search:read"]).key
    services.set_api_key_enabled(other, enabled=False, actor=SYSTEM)

    answer = call(method, f"{dialect.keys(acme)}/{other.pk}{suffix}", body, key=robot_key)

    unknown = "scope" if dialect is CANONICAL else "scopes"
    if unknown in body:
        assert answer.refusal.code == "unknown_field"
    else:
        assert (answer.status, answer.refusal.code) == (403, "other_service_account")
    other.refresh_from_db()
    assert not other.enabled
    assert other.scopes == ["search:read"]


def test_it_can_revoke_any_key(send: Send, robot_key: Issued, make_key: MakeKey) -> None:
    assert send("DELETE", f"/{make_key().key.pk}", key=robot_key).status == 200


def test_the_older_secret_of_an_overlap_cannot_make_itself_last(
    send: Send, dialect: Dialect, manager: Issued, as_admin: Actor
) -> None:
    newer = services.rotate_api_key(manager.key, actor=as_admin)

    created = send("POST", key=manager, **BODY)

    assert created.status == 403
    assert created.refusal.code in ("exceeds_own_expiry", None)
    assert send("POST", key=newer, **BODY).status == dialect.created


@that_can("rotate")
def test_the_older_secret_of_an_overlap_cannot_rotate(
    send: Send, manager: Issued, as_admin: Actor
) -> None:
    services.rotate_api_key(manager.key, actor=as_admin)

    rotated = send("POST", f"/{manager.key.public_id}/rotate", force=True)

    assert (rotated.status, rotated.refusal.code) == (403, "exceeds_own_expiry")


@that_can("update")
def test_the_older_secret_makes_keys_that_end_with_the_overlap(
    send: Send, dialect: Dialect, manager: Issued, as_admin: Actor
) -> None:
    ends = services.rotate_api_key(manager.key, actor=as_admin).previous_ends_at

    answer = send("POST", key=manager, **BODY, expires_at=f"{ends:%FT%TZ}")

    assert answer.status == dialect.created

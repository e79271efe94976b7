"""Keys that are no longer valid, bad parameters and foreign cursors, in every format."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from apikeys import services
from apikeys.services import Issued
from core.actors import Actor
from organizations import services as organization_services
from organizations.models import Organization
from tests.api.formats.conftest import Send
from tests.conftest import ALL_SCOPES
from tests.factories import SYSTEM, ServiceAccountFactory
from tests.support.api import MakeKey
from tests.support.client import ApiClient
from tests.support.dialects import Dialect

END = datetime(2027, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def victim(make_key: MakeKey, acme: Organization) -> Issued:
    """A key that could do everything, of a service account."""
    account = ServiceAccountFactory.create(organization=acme)
    return make_key(name="Victim", scopes=ALL_SCOPES, service_account=account, expires_at=END)


def _revoke(issued: Issued, actor: Actor) -> None:
    services.revoke_api_key(issued.key, actor=actor)


def _disable(issued: Issued, actor: Actor) -> None:
    services.set_api_key_enabled(issued.key, enabled=False, actor=actor)


def _rotate(issued: Issued, actor: Actor) -> None:
    services.rotate_api_key(issued.key, actor=actor, grace_period=timedelta(0))


def _disable_account(issued: Issued, actor: Actor) -> None:
    account = issued.key.service_account
    assert account is not None
    organization_services.set_service_account_enabled(account, enabled=False, actor=actor)


def _close(issued: Issued, actor: Actor) -> None:
    organization_services.set_api_access(issued.key.organization, enabled=False, actor=SYSTEM)


ENDINGS: list[tuple[Callable[[Issued, Actor], None], int, str]] = [
    (_revoke, 401, "key_revoked"),
    (_disable, 401, "key_disabled"),
    (_rotate, 401, "key_rotated"),
    (_disable_account, 401, "key_disabled"),
    (_close, 403, "api_access_disabled"),
]


@pytest.mark.parametrize(("end", "status", "code"), ENDINGS, ids=[e[0].__name__ for e in ENDINGS])
def test_a_key_without_authority_opens_no_format(
    send: Send,
    victim: Issued,
    as_admin: Actor,
    end: Callable[[Issued, Actor], None],
    status: int,
    code: str,
) -> None:
    assert send("GET", key=victim).status == 200
    end(victim, as_admin)

    answers = [send("GET", key=victim), send("POST", key=victim, name="New", scopes=["x"])]

    assert [answer.status for answer in answers] == [status] * 2
    assert {answer.refusal.code for answer in answers} <= {code, None}
    assert answers[0].refusal.message == answers[1].refusal.message
    if status == 401:
        challenge = 'Bearer realm="api", error="invalid_token"'
        assert {answer.headers["WWW-Authenticate"] for answer in answers} == {challenge}


def test_an_expired_key_opens_no_format(send: Send, victim: Issued) -> None:
    with time_machine.travel(END):
        answer = send("GET", key=victim)

    assert answer.status == 401
    assert answer.refusal.message == "This API key expired on 2027-03-01T12:00:00Z."


@pytest.mark.parametrize("header", ["", "Bearer", "Basic eDp5", "Bearer a b", "Token x", "Bearer "])
def test_no_bearer_token_is_401_in_every_format(
    call: ApiClient, dialect: Dialect, acme: Organization, header: str
) -> None:
    answer = call("GET", dialect.keys(acme), headers={"Authorization": header})

    assert answer.status == 401
    assert answer.refusal.message.startswith("No valid API key was sent.")

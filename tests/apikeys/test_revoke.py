"""Revoking API keys."""

import pytest

from apikeys import services
from apikeys.models import ApiKey, Status
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core.exceptions import ErrorCode, Invalid
from organizations.models import AuditEvent
from tests.factories import SYSTEM
from tests.support.domain import SECRET, acting, every_row


def test_a_revoked_key_is_refused_from_then_on(issued: Issued) -> None:
    key = services.revoke_api_key(issued.key, actor=SYSTEM)

    outcome = verify(issued.secret)
    assert (outcome.refusal, outcome.since) == (Refusal.REVOKED, key.revoked_at)
    assert ApiKey.objects.get().status is Status.REVOKED


def test_a_reason_is_kept_in_the_trail(issued: Issued) -> None:
    services.revoke_api_key(issued.key, actor=SYSTEM, reason=" Found in a log. ")

    event = AuditEvent.objects.get(event="api_key.revoked")
    assert event.details == {"reason": "Found in a log."}


def test_without_a_reason_the_trail_says_nothing_of_one(issued: Issued) -> None:
    services.revoke_api_key(issued.key, actor=SYSTEM)

    assert AuditEvent.objects.get(event="api_key.revoked").details == {}


def test_revoking_again_changes_nothing(issued: Issued) -> None:
    first = services.revoke_api_key(issued.key, actor=SYSTEM)
    before = every_row()

    second = services.revoke_api_key(issued.key, actor=SYSTEM, reason="Again.")

    assert second.revoked_at == first.revoked_at
    assert every_row() == before


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (f"Leaked: {SECRET}", ErrorCode.CONTAINS_SECRET),
        ("\x00", ErrorCode.INVALID),
        ("\ud800", ErrorCode.INVALID),
        ("n" * 501, ErrorCode.INVALID),
    ],
)
def test_a_reason_that_the_trail_must_not_keep_revokes_nothing(
    reason: str, code: ErrorCode, issued: Issued
) -> None:
    before = every_row()

    with pytest.raises(Invalid) as refusal:
        services.revoke_api_key(issued.key, actor=SYSTEM, reason=reason)

    assert (refusal.value.problems[0].field, refusal.value.code) == ("reason", code)
    assert every_row() == before


def test_a_disabled_key_can_still_be_revoked(issued: Issued) -> None:
    services.set_api_key_enabled(issued.key, enabled=False, actor=SYSTEM)

    assert services.revoke_api_key(issued.key, actor=SYSTEM).status is Status.REVOKED


def test_a_key_can_revoke_itself(manager: Issued) -> None:
    services.revoke_api_key(manager.key, actor=acting(manager))

    assert verify(manager.secret).refusal is Refusal.REVOKED

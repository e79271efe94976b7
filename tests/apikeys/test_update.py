"""Changing API keys."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from apikeys import services
from apikeys.models import ApiKey, Status
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from core.exceptions import Conflict, ErrorCode, Invalid
from core.transactions import operation
from organizations.models import AuditEvent
from tests.factories import SYSTEM
from tests.support.domain import every_row

Make = Callable[..., Issued]


def _update(issued: Issued, **changes: Any) -> ApiKey:
    return services.update_api_key(issued.key, actor=SYSTEM, changes=changes)


def test_what_is_named_changes_and_the_rest_stays(issued: Issued) -> None:
    before = every_row()["ApiKey"][0]
    end = timezone.now() + timedelta(days=3)

    _update(issued, name=" Spider ", metadata={"team": "Ω"}, expires_at=end)

    after = every_row()["ApiKey"][0]
    changed = {field for field in after if after[field] != before[field]}
    assert changed == {"name", "name_key", "metadata", "expires_at", "updated_at"}
    assert (after["name"], after["metadata"]) == ("Spider", {"team": "Ω"})
    assert after["updated_at"] > before["updated_at"]


def test_the_event_tells_old_and_new(issued: Issued) -> None:
    end = timezone.now() + timedelta(days=3)

    _update(issued, name="Spider", scopes=["events:read"], expires_at=end)

    event = AuditEvent.objects.get(event="api_key.updated")
    assert event.details == {
        "name": ["Crawler", "Spider"],
        "scopes": [["search:read", "events:read"], ["events:read"]],
        "expires_at": [None, end.isoformat()],
    }


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({"enabled": False}, "api_key.disabled"),
        ({"enabled": False, "name": "Spider"}, "api_key.updated"),
        ({"enabled": True, "name": "Spider"}, "api_key.updated"),
    ],
)
def test_the_event_has_the_name_of_what_happened(
    changes: dict[str, Any], event: str, issued: Issued
) -> None:
    _update(issued, **changes)

    assert AuditEvent.objects.latest("id").event == event


def test_a_disabled_key_stops_and_an_enabled_one_works_again(issued: Issued) -> None:
    services.set_api_key_enabled(issued.key, enabled=False, actor=SYSTEM)
    disabled = verify(issued.secret)
    services.set_api_key_enabled(issued.key, enabled=True, actor=SYSTEM)
    enabled = verify(issued.secret)

    assert disabled.refusal is Refusal.DISABLED
    assert enabled.refusal is None


def test_fewer_scopes_hold_from_the_next_call_on(issued: Issued) -> None:
    _update(issued, scopes=["search:read"])

    found = verify(issued.secret).found
    assert found
    assert found.scopes == ["search:read"]


def test_an_expired_key_can_be_given_a_new_end(make_key: Make) -> None:
    issued = make_key(expires_at=timezone.now() + timedelta(days=1))

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        expired = verify(issued.secret)
        _update(issued, expires_at=timezone.now() + timedelta(days=1))
        extended = verify(issued.secret)

    assert expired.refusal is Refusal.EXPIRED
    assert extended.refusal is None


def test_an_end_can_be_taken_away(make_key: Make) -> None:
    issued = make_key(expires_at=timezone.now() + timedelta(days=1))

    assert _update(issued, expires_at=None).expires_at is None


@pytest.mark.parametrize("name", ["Other", "OTHER", " other"])
def test_the_name_of_another_key_is_refused(name: str, issued: Issued, make_key: Make) -> None:
    make_key(name="Other")
    before = every_row()

    with pytest.raises(Conflict) as refusal:
        _update(issued, name=name)

    assert refusal.value.code is ErrorCode.NAME_TAKEN
    assert every_row() == before


def test_a_key_may_change_the_case_of_its_own_name(issued: Issued) -> None:
    assert _update(issued, name="CRAWLER").name == "CRAWLER"


@pytest.mark.parametrize(
    "changes",
    [{"name": "Renamed"}, {"enabled": True}, {"enabled": False}, {"expires_at": None}, {}],
)
def test_a_revoked_key_stays_as_it_is(changes: dict[str, Any], issued: Issued) -> None:
    services.revoke_api_key(issued.key, actor=SYSTEM)
    before = every_row()

    with pytest.raises(Conflict) as refusal:
        _update(issued, **changes)

    assert refusal.value.code is ErrorCode.KEY_REVOKED
    assert every_row() == before


def test_the_callers_copy_of_a_revoked_key_does_not_bring_it_back(issued: Issued) -> None:
    """AB58: update against revoke."""
    stale = ApiKey.objects.get(pk=issued.key.pk)
    services.revoke_api_key(issued.key, actor=SYSTEM)

    with pytest.raises(Conflict):
        services.update_api_key(stale, actor=SYSTEM, changes={"name": "Back"})

    assert ApiKey.objects.get().status is Status.REVOKED


def test_every_problem_is_told_and_nothing_changes(issued: Issued) -> None:
    before = every_row()

    with pytest.raises(Invalid) as refusal:
        _update(issued, name="", scopes=["*"], metadata={"a": "n" * 501})

    fields = [problem.field for problem in refusal.value.problems]
    assert fields == ["name", "scopes.0", "metadata.a"]
    assert every_row() == before


def test_an_update_leaves_the_last_use_alone(issued: Issued) -> None:
    stale = ApiKey.objects.get(pk=issued.key.pk)
    now = timezone.now()
    with operation():
        ApiKey.objects.update(last_used_at=now)

    services.update_api_key(stale, actor=SYSTEM, changes={"name": "Spider"})

    assert ApiKey.objects.get().last_used_at == now

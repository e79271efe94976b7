"""Staff changes to a user's sign-in succeed or fail as a whole. Emails are sent only on success."""

from collections.abc import Callable
from typing import Any

import pytest
import structlog
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core import mail
from pytest_django import DjangoCaptureOnCommitCallbacks

from core.actors import Actor
from core.exceptions import Forbidden
from organizations import services
from organizations.audit import EventNotWritten
from tests.organizations.operations import World, _link
from tests.support.domain import unwritable_trail

OPERATIONS: dict[str, Callable[[World, Actor], Any]] = {
    "link": lambda w, a: services.send_password_link(w.newcomer, link=_link, actor=a),
    "sessions": lambda w, a: services.end_sessions(w.newcomer, actor=a),
    "factors": lambda w, a: services.remove_second_factors(w.newcomer, actor=a),
}


def _ways_in() -> list[Any]:
    return [list(model.objects.values()) for model in (Authenticator, UserSession)]


@pytest.mark.parametrize("name", OPERATIONS)
def test_without_its_event_nothing_happens_and_nobody_is_told(
    name: str,
    world: World,
    act_as: Callable[[str], Actor],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    before = _ways_in()

    with (
        django_capture_on_commit_callbacks(execute=True) as after_commit,
        unwritable_trail(),
        pytest.raises(EventNotWritten),
    ):
        OPERATIONS[name](world, act_as("staff"))

    assert _ways_in() == before
    assert after_commit == []
    assert not mail.outbox


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("part", ["admin", "outsider", "manager"])
def test_nobody_but_staff_does_it(
    name: str, part: str, world: World, act_as: Callable[[str], Actor]
) -> None:
    before = _ways_in()

    with pytest.raises(Forbidden):
        OPERATIONS[name](world, act_as(part))

    assert _ways_in() == before
    assert not mail.outbox


def test_a_mail_that_cannot_be_sent_undoes_nothing(
    world: World,
    act_as: Callable[[str], Actor],
    settings: Any,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1

    with (
        structlog.testing.capture_logs() as logs,
        django_capture_on_commit_callbacks(execute=True) as after_commit,
    ):
        services.remove_second_factors(world.newcomer, actor=act_as("staff"))

    assert len(after_commit) == 2, "the mail and a line of the log"
    assert "second_factor_removed" in {line["event"] for line in logs}
    assert not Authenticator.objects.exists()

"""When a session's user last authenticated. Reauthentication rotates the session key."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest


def has_recently_authenticated(request: HttpRequest) -> bool:
    """Whether the user signed in or reauthenticated within the configured time."""
    records = get_authentication_records(request, request.user)
    latest = max((record.get("at", 0) for record in records), default=0)
    return bool(time.time() - latest < app_settings.REAUTHENTICATION_TIMEOUT)


def rotate_session_on_reauthentication() -> None:
    """Connects the receiver when the application starts."""
    authentication_step_completed.connect(_renew_id, dispatch_uid="renew_session_id")


@transaction.atomic
def _renew_id(request: HttpRequest, *, reauthenticated: bool = False, **_: Any) -> None:
    # Rotates the session key on reauthentication, so that a stolen session ID does not gain it.
    # At a sign-in Django does this.
    if reauthenticated:
        before = request.session.session_key
        request.session.cycle_key()
        listed = UserSession.objects.filter(session_key=before)
        listed.update(session_key=request.session.session_key)

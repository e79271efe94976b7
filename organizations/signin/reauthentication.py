"""When the person of a session last proved who they are; a proof gives the session a new id."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest


def is_recent(request: HttpRequest) -> bool:
    """Whether this session's person has signed in or confirmed it within the time that is set."""
    records = get_authentication_records(request, request.user)
    latest = max((record.get("at", 0) for record in records), default=0)
    return bool(time.time() - latest < app_settings.REAUTHENTICATION_TIMEOUT)


def renew_ids() -> None:
    """Begins to listen for confirmations; for the start of the application."""
    authentication_step_completed.connect(_renew_id, dispatch_uid="renew_session_id")


@transaction.atomic
def _renew_id(request: HttpRequest, *, reauthenticated: bool = False, **_: Any) -> None:
    """Whoever knows the id of a session from before gains nothing by its confirmation.

    At a sign-in Django does it.
    """
    if reauthenticated:
        before = request.session.session_key
        request.session.cycle_key()
        listed = UserSession.objects.filter(session_key=before)
        listed.update(session_key=request.session.session_key)

"""Pages to sign out, and to list and end a user's sessions."""

from typing import Any

import structlog
from allauth.account.decorators import reauthentication_required
from allauth.account.views import LogoutView
from allauth.usersessions.forms import ManageUserSessionsForm
from allauth.usersessions.internal.flows.sessions import end_sessions
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django import forms
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.decorators import method_decorator

from core.actors import Actor
from core.request_context import request_context_of
from core.transactions import operation
from core.user_agents import describe
from organizations import services
from organizations.events import OrganizationEvent
from organizations.models import User
from organizations.signin.session_store import last_use

_log = structlog.get_logger(__name__)


class SignOut(LogoutView):  # type: ignore[misc]
    """allauth's page. Also clears what the browser stored about the user."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ends the session and clears the browser's cache and storage, but not its cookies."""
        response: HttpResponse = super().post(*args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


class EndSessions(ManageUserSessionsForm):  # type: ignore[misc]
    """Ends the chosen session of the user, or all others if none is chosen."""

    session = forms.ModelChoiceField(
        UserSession.objects.none(),
        required=False,
        error_messages={"invalid_choice": "This session has already ended."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sessions = UserSession.objects.filter(user=self.request.user)
        others = sessions.exclude(session_key=self.request.session.session_key)
        self.fields["session"].queryset = others

    def save(self, request: HttpRequest) -> None:
        """Ends the sessions, with an audit event and a log line."""
        chosen = self.cleaned_data["session"]
        ended = [chosen] if chosen else list(self.fields["session"].queryset)
        with operation():
            end_sessions(request, ended)
            if ended:
                person: Any = request.user
                event = OrganizationEvent.PERSON_SESSIONS_ENDED
                actor = Actor.person(person.id, str(person), request_context_of(request))
                details = {"sessions": len(ended)}
                services.record_account_change(person, event, actor=actor, details=details)
        _log.info("sessions_ended", person=self.request.user.public_id, sessions=len(ended))


# Require reauthentication: an unattended browser must not end the owner's other sessions.
@method_decorator(reauthentication_required(app="usersessions"), name="post")
class Sessions(ListUserSessionsView):  # type: ignore[misc]
    """allauth's page, without its query per session."""

    form_class = EndSessions

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The sessions that are still valid, oldest first."""
        sessions = live_sessions(self.request.user)
        context = {"sessions": sessions, "session_count": len(sessions)}
        return {**super(ListUserSessionsView, self).get_context_data(**kwargs), **context}


def live_sessions(user: User) -> list[UserSession]:
    """The user's sessions that have not expired or been ended by a new password.

    Each has its `device` in words, and `last_active`.
    """
    listed = list(UserSession.objects.filter(user=user).order_by("created_at"))
    keys = [session.session_key for session in listed]
    stored = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    live = {row.session_key: row for row in stored if _lets_in(row, user)}
    sessions = [session for session in listed if session.session_key in live]
    for session in sessions:
        row = live[session.session_key]
        session.device = describe(session.user_agent)
        session.last_active = last_use(row, row.get_decoded())
    return sessions


def _lets_in(session: Session, user: User) -> bool:
    kept = session.get_decoded().get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(kept, valid) for valid in hashes)

"""Where a person is signed in, and how that ends."""

from typing import Any

from allauth.account.views import LogoutView
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from organizations.models import User


class SignOut(LogoutView):  # type: ignore[misc]
    """allauth's page; whoever uses the browser next is to find nothing of the one before."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ends the session and lets the browser forget pages and storage, but no cookie."""
        response: HttpResponse = super().post(*args, **kwargs)
        response["Clear-Site-Data"] = '"cache", "storage"'
        return response


class Sessions(ListUserSessionsView):  # type: ignore[misc]
    """allauth's page; it asked for each session by itself, this asks for all at once."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The sessions that would still be let in, oldest first."""
        sessions = live_sessions(self.request.user)
        context = {"sessions": sessions, "session_count": len(sessions)}
        return {**super(ListUserSessionsView, self).get_context_data(**kwargs), **context}


def live_sessions(user: User) -> list[UserSession]:
    """The person's sessions that have neither ended nor been ended by a new password."""
    listed = list(UserSession.objects.filter(user=user).order_by("created_at"))
    keys = [session.session_key for session in listed]
    stored = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    live = {session.session_key for session in stored if _lets_in(session, user)}
    return [session for session in listed if session.session_key in live]


def _lets_in(session: Session, user: User) -> bool:
    kept = session.get_decoded().get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(kept, valid) for valid in hashes)

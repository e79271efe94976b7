"""Signing up: an organization of one's own, or the one that an invitation is for."""

from typing import Any

from allauth.account.views import SignupView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from core.exceptions import Conflict, Forbidden, NotFound
from organizations.services.invitation_links import INVITATION_KEY
from organizations.signin.invitations import invitation_of, say_joined


class SignUp(SignupView):  # type: ignore[misc]
    """allauth's page; an invitation that is over is said instead of leading somewhere else."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if INVITATION_KEY in request.session and invitation_of(request) is None:
            return self._tell()
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        """Also where the invitation has been revoked since the form was checked."""
        try:
            response: HttpResponse = super().form_valid(form)
        except (Conflict, Forbidden, NotFound):
            return self._tell()
        invitation = form.invitation
        if invitation and self.request.user.is_authenticated:
            say_joined(self.request, invitation.organization, invitation.role)
        return response

    def _tell(self) -> HttpResponse:
        """To the page of the invitation, which says what has become of it."""
        token = self.request.session.pop(INVITATION_KEY)
        return HttpResponseRedirect(reverse("organizations:accept", args=[token]))

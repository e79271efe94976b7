"""Sign-up with a new organization, or to accept an invitation."""

from typing import Any

from allauth.account.views import SignupView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from core.exceptions import Conflict, Forbidden, NotFound
from organizations.services.invitation_links import INVITATION_KEY
from organizations.signin.invitations import add_joined_message, invitation_of


class SignUp(SignupView):  # type: ignore[misc]
    """allauth's page. Leads to the page of an invitation that can't be accepted any more."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if INVITATION_KEY in request.session and invitation_of(request) is None:
            return self._tell()
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def form_valid(self, form: Any) -> HttpResponse:
        # The invitation may have been revoked since the form was checked.
        try:
            response: HttpResponse = super().form_valid(form)
        except (Conflict, Forbidden, NotFound):
            return self._tell()
        invitation = form.invitation
        if invitation and self.request.user.is_authenticated:
            add_joined_message(self.request, invitation.organization, invitation.role)
        return response

    def _tell(self) -> HttpResponse:
        """Redirects to the invitation's page, which shows its state."""
        token = self.request.session.pop(INVITATION_KEY)
        return HttpResponseRedirect(reverse("organizations:accept", args=[token]))

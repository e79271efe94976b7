"""The page to accept an invitation."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import View

from core.exceptions import Conflict, DomainError, Forbidden, NotFound
from organizations import services
from organizations.models import Invitation
from organizations.pages.base import person_of
from organizations.services.invitation_links import INVITATION_KEY, invitation_from_token
from organizations.services.invitations import require_invited, require_open
from organizations.signin.invitations import add_joined_message


class Accept(View):
    """The page behind an invitation's link."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotFound as refusal:
            raise Http404 from refusal

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Shows the invitation, and why it can't be accepted if so."""
        invitation = invitation_from_token(token)
        try:
            if request.user.is_authenticated:
                require_invited(invitation, request.user)
            else:
                require_open(invitation)
                request.session[INVITATION_KEY] = token
        except (Conflict, Forbidden) as refusal:
            return self._show(invitation, refusal)
        return self._show(invitation, None)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        if not request.user.is_authenticated:
            return HttpResponseRedirect(request.path)
        try:
            membership = services.accept_invitation(token, actor=person_of(request))
        except (Conflict, Forbidden) as refusal:
            return self._show(invitation_from_token(token), refusal, status=409)
        request.session.pop(INVITATION_KEY, None)
        add_joined_message(request, membership.organization, membership.role)
        slug = membership.organization.slug
        return HttpResponseRedirect(reverse("organizations:general", args=[slug]), status=303)

    def _show(
        self, invitation: Invitation, refusal: DomainError | None, status: int = 200
    ) -> HttpResponse:
        context = {
            "invitation": invitation,
            "refusal": refusal,
            "wrong_account": isinstance(refusal, Forbidden),
        }
        return render(self.request, "organizations/accept.html", context, status=status)

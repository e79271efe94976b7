"""Accepting an invitation: signed in, signed out, or new here."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import View

from organizations import services
from organizations.exceptions import Conflict, DomainError, Forbidden, NotFound
from organizations.models import Invitation
from organizations.pages import person_of
from organizations.services.invitations import require_invited
from organizations.services.links import INVITATION_KEY, invitation_behind


class Accept(View):
    """The page behind the link in a mail."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotFound as refusal:
            raise Http404 from refusal

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Who invites to what; what stands in the way, if anything."""
        invitation = invitation_behind(token)
        refusal: DomainError | None = None
        if request.user.is_authenticated:
            try:
                require_invited(invitation, request.user)
            except (Conflict, Forbidden) as found:
                refusal = found
        else:
            request.session[INVITATION_KEY] = token
        return self._show(invitation, refusal)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Joins."""
        if not request.user.is_authenticated:
            return HttpResponseRedirect(request.path)
        try:
            membership = services.accept_invitation(token, actor=person_of(request))
        except (Conflict, Forbidden) as refusal:
            return self._show(invitation_behind(token), refusal, status=409)
        request.session.pop(INVITATION_KEY, None)
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

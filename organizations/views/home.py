"""The start: leads each person to where their work is."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import View

from organizations.models import Membership
from organizations.pages import person_of
from organizations.roles import Role
from organizations.views.invitations import SESSION_KEY


class Home(LoginRequiredMixin, View):
    """Admins to the Developer page, members to their organization, staff to the administration."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The first organization by name."""
        actor = person_of(request)
        membership = (
            Membership.objects.visible_to(actor)
            .select_related("organization")
            .filter(user_id=actor.principal_id)
            .order_by("organization__name", "id")
            .first()
        )
        if SESSION_KEY in request.session:
            token = request.session.pop(SESSION_KEY)
            return HttpResponseRedirect(reverse("organizations:accept", args=[token]))
        if membership is None:
            return render(request, "organizations/nowhere.html")
        slug = membership.organization.slug
        if membership.role == Role.ADMIN:
            return HttpResponseRedirect(f"/o/{slug}/settings/developer/")
        return HttpResponseRedirect(reverse("organizations:general", args=[slug]))

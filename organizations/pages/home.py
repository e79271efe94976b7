"""The start page, and the page to create an organization."""

from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import View

from core.exceptions import Conflict, Invalid
from core.forms import TextField, show_refusal
from organizations import services
from organizations.models import Membership
from organizations.pages.base import membership_of, person_of, start_url
from organizations.services.invitation_links import INVITATION_KEY


class Home(LoginRequiredMixin, View):
    """Redirects to a waiting invitation, or else to the last visited organization."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Admins to the Developer page, members to their organization, staff to Django admin."""
        if INVITATION_KEY in request.session:
            token = request.session.pop(INVITATION_KEY)
            return HttpResponseRedirect(reverse("organizations:accept", args=[token]))
        membership = membership_of(request)
        if membership is None:
            start = "admin:index" if request.user.is_staff else "organizations:new"
            return HttpResponseRedirect(reverse(start))
        return HttpResponseRedirect(start_url(membership))


class NewOrganizationForm(forms.Form):
    name = TextField(
        label="Organization name",
        error_messages={"required": "Enter a name for the organization."},
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )


class NewOrganization(LoginRequiredMixin, View):
    """For users without an organization, and for those who need another."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(NewOrganizationForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Creates it, with the user as its first admin."""
        form = NewOrganizationForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        actor = person_of(request)
        try:
            made = services.create_own_organization(name=form.cleaned_data["name"], actor=actor)
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
            return self._show(form, status=422)
        return HttpResponseRedirect(f"/o/{made.slug}/settings/developer/", status=303)

    def _show(self, form: NewOrganizationForm, status: int = 200) -> HttpResponse:
        actor = person_of(self.request)
        memberships = Membership.objects.visible_to(actor).filter(user_id=actor.principal_id)
        context = {"form": form, "has_none": not memberships.exists()}
        return render(self.request, "organizations/new.html", context, status=status)

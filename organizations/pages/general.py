"""The organization's settings page: name and ID, and the page that closes the organization."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.exceptions import Conflict, Invalid
from core.forms import TextField, VersionedForm, show_edit_refusal
from organizations import policy, services
from organizations.models import Membership, Organization
from organizations.pages.base import OrganizationPage
from organizations.pages.step_up import StepUpPage
from organizations.roles import Action


class NameForm(VersionedForm):
    name = TextField(
        label="Organization name",
        error_messages={"required": "Enter a name for the organization."},
    )


class General(OrganizationPage):
    section = "general"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(NameForm.of(self.organization))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Renames the organization unless it was changed meanwhile."""
        policy.require(self.actor, Action.RENAME_ORGANIZATION, self.organization)
        form = NameForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        try:
            services.rename_organization(
                self.organization,
                actor=self.actor,
                seen_at=form.seen_at,
                **form.service_arguments(),
            )
        except (Conflict, Invalid) as refusal:
            return self._show(
                form, status=422, theirs=show_edit_refusal(form, refusal, self.organization)
            )
        address = reverse("organizations:general", args=[self.organization.slug])
        return self.done("Changes saved.", address)

    def _show(self, form: NameForm, status: int = 200, theirs: Any = None) -> HttpResponse:
        context = {"form": form, "theirs": theirs}
        return self.render("organizations/general.html", context, status=status)


class CloseForm(forms.Form):
    """Asks for the organization's name, so that it isn't closed by accident."""

    typed = TextField(
        error_messages={"required": "Type the organization's name."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, organization: Organization, *args: Any) -> None:
        super().__init__(*args)
        self.organization = organization
        self.fields["typed"].label = f"Type “{organization}” to confirm"

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed.strip() != self.organization.name:
            raise forms.ValidationError("That doesn't match the organization's name.")
        return typed


class Close(StepUpPage):
    """Closes the organization, after its name was typed."""

    section = "general"
    action = Action.CLOSE_ORGANIZATION

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._show(CloseForm(self.organization))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CloseForm(self.organization, request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        confirmation = self.confirmed()
        if confirmation:
            return confirmation
        services.close_organization(self.organization, actor=self.actor)
        return self.done(f"{self.organization} is closed. Contact support to reopen it.", "/")

    def _show(self, form: CloseForm, status: int = 200) -> HttpResponse:
        members = Membership.objects.visible_to(self.actor).for_organization(self.organization.id)
        context = {
            "form": form,
            "members": members.count(),
            "to": reverse("organizations:general", args=[self.organization.slug]),
        }
        return self.render("organizations/close.html", context, status=status)

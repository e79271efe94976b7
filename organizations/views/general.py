"""The organization itself."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from organizations import policy, services
from organizations.exceptions import Invalid
from organizations.forms import cleaned, show_refusal
from organizations.pages import OrganizationPage
from organizations.roles import Action
from organizations.text import clean_name


class NameForm(forms.Form):
    """The organization's name."""

    name = forms.CharField(max_length=100, label="Organization name")

    def clean_name(self) -> str:
        """The name as it is kept."""
        return cleaned(clean_name, self.cleaned_data["name"], "name")


class General(OrganizationPage):
    """The name, which admins change, and the id."""

    section = "general"

    def get(self, request: HttpRequest) -> HttpResponse:
        """What it is called."""
        return self._show(NameForm(initial={"name": self.organization.name}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Renames it."""
        policy.require(self.actor, Action.RENAME_ORGANIZATION, self.organization)
        form = NameForm(request.POST)
        if form.is_valid():
            name = form.cleaned_data["name"]
            try:
                services.rename_organization(self.organization, name=name, actor=self.actor)
            except Invalid as refusal:
                show_refusal(form, refusal)
            else:
                address = reverse("organizations:general", args=[self.organization.slug])
                return self.done("Changes saved.", address)
        return self._show(form, status=422)

    def _show(self, form: NameForm, status: int = 200) -> HttpResponse:
        return self.render("organizations/general.html", {"form": form}, status=status)

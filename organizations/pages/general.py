"""The organization's settings page: name and ID."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.exceptions import Conflict, Invalid
from core.forms import TextField, VersionedForm, show_edit_refusal
from organizations import policy, services
from organizations.pages.base import OrganizationPage
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

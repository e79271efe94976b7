"""The organization itself."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.exceptions import Conflict, Invalid
from core.forms import SeenForm, TextField, look_again
from organizations import policy, services
from organizations.pages.base import OrganizationPage
from organizations.roles import Action


class NameForm(SeenForm):
    """The organization's name; the service has the last word."""

    name = TextField(
        label="Organization name",
        error_messages={"required": "Enter a name for the organization."},
    )


class General(OrganizationPage):
    """The name, which admins change, and the id."""

    section = "general"

    def get(self, request: HttpRequest) -> HttpResponse:
        """What it is called."""
        return self._show(NameForm.of(self.organization))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Renames it, unless somebody else has changed it meanwhile."""
        policy.require(self.actor, Action.RENAME_ORGANIZATION, self.organization)
        form = NameForm(request.POST)
        if not form.is_valid():
            return self._show(form, status=422)
        try:
            services.rename_organization(
                self.organization, actor=self.actor, seen_at=form.seen_at, **form.wanted()
            )
        except (Conflict, Invalid) as refusal:
            return self._show(form, status=422, theirs=look_again(form, refusal, self.organization))
        address = reverse("organizations:general", args=[self.organization.slug])
        return self.done("Changes saved.", address)

    def _show(self, form: NameForm, status: int = 200, theirs: Any = None) -> HttpResponse:
        context = {"form": form, "theirs": theirs}
        return self.render("organizations/general.html", context, status=status)

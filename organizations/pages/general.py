"""The organization's settings page: name, ID and default expiry, and the page that closes it."""

from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core.exceptions import Conflict, Invalid
from core.forms import TextField, VersionedForm, show_edit_refusal
from core.timestamps import days_in_words
from organizations import policy, services
from organizations.models import KEY_PERIODS, Membership, Organization
from organizations.pages.base import OrganizationPage
from organizations.pages.step_up import StepUpPage
from organizations.roles import Action

_NEVER: Final = "never"
_CHOOSE: Final = "Choose an expiry from the list."


class NameForm(VersionedForm):
    name = TextField(
        label="Organization name",
        error_messages={"required": "Enter a name for the organization."},
    )


class ExpiryField(forms.TypedChoiceField):
    """The usual periods in days, or None for never."""

    def __init__(self, **options: Any) -> None:
        periods = [(str(days), days_in_words(days)) for days in KEY_PERIODS]
        super().__init__(choices=[(_NEVER, "Never"), *periods], coerce=_days_of, **options)

    def prepare_value(self, value: Any) -> Any:
        return _NEVER if value is None else value


def _days_of(choice: str) -> int | None:
    return None if choice == _NEVER else int(choice)


class ExpiryForm(VersionedForm):
    """The expiry that the page for a new key preselects."""

    default_key_days = ExpiryField(
        label="Default expiry",
        help_text="Preselected when you create a key. Anyone who creates one can choose another.",
        error_messages=dict.fromkeys(("required", "invalid_choice"), _CHOOSE),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "id_expiry_%s", **kwargs})  # next to another form

    def displayed_values(self, thing: Any) -> list[tuple[str, Any]]:
        return [("Default expiry", thing.get_default_key_days_display())]


class General(OrganizationPage):
    section = "general"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Renames the organization unless it was changed meanwhile."""
        policy.require(self.actor, Action.RENAME_ORGANIZATION, self.organization)
        form = NameForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            services.rename_organization(
                self.organization,
                actor=self.actor,
                seen_at=form.seen_at,
                **form.service_arguments(),
            )
        except (Conflict, Invalid) as refusal:
            return self.show(
                form, status=422, theirs=show_edit_refusal(form, refusal, self.organization)
            )
        return self.saved()

    @property
    def home(self) -> str:
        return reverse("organizations:general", args=[self.organization.slug])

    def saved(self) -> HttpResponse:
        return self.done("Changes saved.", self.home)

    def show(
        self, form: VersionedForm | None = None, status: int = 200, theirs: Any = None
    ) -> HttpResponse:
        """The page, with `form` in place of the one of its kind that shows what is stored."""
        forms_of_page = {
            name: form if isinstance(form, kind) else kind.of(self.organization)
            for name, kind in (("form", NameForm), ("expiry_form", ExpiryForm))
        }
        context = {**forms_of_page, "theirs": theirs, "is_expiry": isinstance(form, ExpiryForm)}
        return self.render("organizations/general.html", context, status=status)


class DefaultExpiry(General):
    """Saves the default expiry."""

    action = Action.SET_DEFAULT_EXPIRY

    def get(self, request: HttpRequest) -> HttpResponse:
        # GET happens only after a login redirect: go to the page with the form.
        return HttpResponseRedirect(self.home)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Sets the default expiry unless the organization was changed meanwhile."""
        form = ExpiryForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            services.set_default_expiry(
                self.organization,
                days=form.cleaned_data["default_key_days"],
                actor=self.actor,
                seen_at=form.seen_at,
            )
        except (Conflict, Invalid) as refusal:
            return self.show(
                form, status=422, theirs=show_edit_refusal(form, refusal, self.organization)
            )
        return self.saved()


class CloseForm(forms.Form):
    """Asks for the organization's name, so that it isn't closed by accident."""

    typed = TextField(
        error_messages={"required": "Type the organization's name."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, organization: Organization, *args: Any) -> None:
        super().__init__(*args)
        self.organization = organization
        typed = self.fields["typed"]
        typed.label = f"Type “{organization}” to confirm"
        typed.widget.attrs["data-expected"] = organization.name

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

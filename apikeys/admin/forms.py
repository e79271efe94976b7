"""Forms of the key pages in the admin."""

from django import forms

from apikeys.forms import ScopesField
from apikeys.tokens import Environment
from core import ids
from core.forms import TextField, cleaned
from core.text import TEXT_LENGTH, clean_text
from organizations.admin.forms import tier_choices
from organizations.models import Organization, ServiceAccount


class NewKeyForm(forms.Form):
    """The form to create a key for an organization.

    Checks only formats. Errors of the service are shown on the fields.
    """

    required_css_class = "required"
    #: Set if the service reports that the name is taken.
    name_taken = False

    organization = forms.ModelChoiceField(Organization.objects.order_by("name"))
    name = TextField(
        help_text="For people's reference, for example Production or CI.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    description = TextField(
        max_length=TEXT_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 2, "cols": 60})
    )
    environment = forms.ChoiceField(
        choices=[(environment, environment.capitalize()) for environment in Environment],
        widget=forms.RadioSelect,
        initial=Environment.LIVE,
    )
    scopes = ScopesField()
    expires_at = forms.DateTimeField(
        required=False,
        label="Expires (UTC)",
        help_text="Leave empty for a key that does not expire.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    service_account = TextField(
        required=False,
        help_text="The ID (sa_…) of a service account of the organization.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def clean_service_account(self) -> ServiceAccount | None:
        """Finds the service account by ID. The service checks whether it fits."""
        text = self.cleaned_data["service_account"].strip()
        account_id = ids.read_id("sa", text)
        accounts = ServiceAccount.objects.undeleted()
        account = accounts.filter(pk=account_id).first() if account_id else None
        if text and account is None:
            raise forms.ValidationError("Unknown service account ID.")
        return account


class TierForm(forms.Form):
    """Sets the rate-limit tier of keys. Empty for their organization's tier."""

    rate_limit_tier = forms.ChoiceField(
        required=False,
        choices=lambda: [("", "As its organization"), *tier_choices()],
        help_text="Applies from the next one-minute window on.",
    )


class RevokeForm(forms.Form):
    """Asks why keys are revoked."""

    required_css_class = "required"

    reason = TextField(
        max_length=TEXT_LENGTH,
        help_text="Recorded in the audit log, which the organization can read.",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )

    def clean_reason(self) -> str:
        """Checks the reason here, so that an invalid one is reported once, not per key."""
        return cleaned(clean_text, self.cleaned_data["reason"], "reason")

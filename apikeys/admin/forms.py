"""Forms of the key pages in the administration."""

from django import forms

from apikeys.forms import ScopesField
from apikeys.tokens import Environment
from core import ids
from core.forms import TextField, cleaned
from core.text import TEXT_LENGTH, clean_text
from organizations.admin.forms import tier_choices
from organizations.models import Organization, ServiceAccount


class NewKeyForm(forms.Form):
    """What staff say of a key that they create for an organization.

    It checks shapes only; the service has the last word and its refusals come back to the fields.
    """

    required_css_class = "required"
    #: Set when the service has refused the name as taken.
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
        help_text="The id (sa_…) of a service account of the organization.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def clean_service_account(self) -> ServiceAccount | None:
        """The service account behind the id; whether it fits is for the service to say."""
        text = self.cleaned_data["service_account"].strip()
        account_id = ids.read_id("sa", text)
        account = ServiceAccount.objects.filter(pk=account_id).first() if account_id else None
        if text and account is None:
            raise forms.ValidationError("There is no service account with this id.")
        return account


class TierForm(forms.Form):
    """The rate-limit tier of keys; empty for that of their organization."""

    rate_limit_tier = forms.ChoiceField(
        required=False,
        choices=lambda: [("", "As its organization"), *tier_choices()],
        help_text="From the next window of a minute on.",
    )


class RevokeForm(forms.Form):
    """Why keys are revoked."""

    required_css_class = "required"

    reason = TextField(
        max_length=TEXT_LENGTH,
        help_text="Kept in the audit trail, which the organization can read.",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )

    def clean_reason(self) -> str:
        """The reason as the trail keeps it; refused here, it is refused for all keys at once."""
        return cleaned(clean_text, self.cleaned_data["reason"], "reason")

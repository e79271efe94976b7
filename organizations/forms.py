"""Forms of the staff's pages about organizations."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AdminUserCreationForm

from organizations.models import User


def tier_choices() -> list[tuple[str, str]]:
    """The tiers of the settings with their limits."""
    return [(tier, f"{tier} ({limit})") for tier, limit in settings.RATE_LIMIT_TIERS.items()]


class NewUserForm(AdminUserCreationForm[User]):
    """A new person: an e-mail address, and a password unless they sign in some other way."""

    class Meta:
        model = User
        fields = ("email", "name")

    def clean_email(self) -> str:
        """The address as it is kept; taken whatever its case."""
        email: str = self.cleaned_data["email"].strip().lower()
        if User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError("Somebody has this e-mail address already.")
        return email


class NewOrganizationFields(forms.Form):
    """What a new organization needs beside its name."""

    admin_email = forms.EmailField(
        label="E-mail address of its admin", help_text="Somebody who is listed under People."
    )

    def clean_admin_email(self) -> User:
        """The person behind the address."""
        email = self.cleaned_data["admin_email"]
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise forms.ValidationError("Nobody has this e-mail address. Add them first.")
        return user


class TierField(forms.ChoiceField):
    """A choice among the tiers of the settings, read when the form is shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "choices": tier_choices})

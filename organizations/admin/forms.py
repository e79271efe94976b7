"""Admin forms for users and organizations."""

from typing import Any

from django import forms
from django.conf import settings

from core.forms import bound_length, cleaned
from core.text import canonical_email, clean_email
from organizations.email_names import clean_mailed_name
from organizations.models import User


def tier_choices() -> list[tuple[str, str]]:
    """The configured tiers with their limits."""
    return [(tier, f"{tier} ({limit})") for tier, limit in settings.RATE_LIMIT_TIERS.items()]


class PersonFields(forms.ModelForm[User]):
    """Validates a user's email address and name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = self.fields.get("email")
        if isinstance(email, forms.CharField):
            bound_length(email)

    def clean_email(self) -> str:
        """The canonical address. Rejects it if it is taken, ignoring case."""
        email = canonical_email(self.cleaned_data["email"])
        if email != self.instance.email:
            email = cleaned(clean_email, self.cleaned_data["email"], "email")
        if User.objects.with_email(email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("This email address is already in use.")
        return email

    def clean_name(self) -> str:
        """The name, which may be empty. An unchanged name isn't checked again."""
        name: str = self.cleaned_data["name"]
        unchanged = self.instance.pk and "name" not in self.changed_data
        return name if unchanged or not name else cleaned(clean_mailed_name, name, "name")


class UserForm(PersonFields):
    """A user without their password, which only they can set."""

    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 - the admin chooses the fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        permissions: Any = self.fields.get("user_permissions")
        if permissions:  # their labels contain the app's name
            permissions.queryset = permissions.queryset.select_related("content_type")


class NewOrganizationFields(forms.Form):
    """Additional fields of a new organization."""

    admin_email = forms.EmailField(
        label="Email address of the admin", help_text="Must belong to an existing user."
    )

    def clean_admin_email(self) -> User:
        """The user with this email address."""
        user = User.objects.with_email(self.cleaned_data["admin_email"]).first()
        if user is None:
            raise forms.ValidationError("No user has this email address. Add the user first.")
        return user


class TierField(forms.ChoiceField):
    """A choice of the configured tiers, read when the form is shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "choices": tier_choices})

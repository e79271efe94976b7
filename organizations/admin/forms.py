"""Forms of the staff's pages about organizations."""

from typing import Any

from django import forms
from django.conf import settings

from core.forms import bound_length, cleaned
from core.text import canonical_email, clean_email
from organizations.email_names import clean_mailed_name
from organizations.models import User


def tier_choices() -> list[tuple[str, str]]:
    """The tiers of the settings with their limits."""
    return [(tier, f"{tier} ({limit})") for tier, limit in settings.RATE_LIMIT_TIERS.items()]


class PersonFields(forms.ModelForm[User]):
    """How a person's address and name are checked, old or new."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = self.fields.get("email")
        if isinstance(email, forms.CharField):
            bound_length(email)

    def clean_email(self) -> str:
        """The address as it is kept; taken whatever its case."""
        email = canonical_email(self.cleaned_data["email"])
        if email != self.instance.email:
            email = cleaned(clean_email, self.cleaned_data["email"], "email")
        if User.objects.with_email(email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Somebody has this e-mail address already.")
        return email

    def clean_name(self) -> str:
        """The name, which may be empty, and is as printable as every other name."""
        name: str = self.cleaned_data["name"]
        unchanged = self.instance.pk and "name" not in self.changed_data
        return name if unchanged or not name else cleaned(clean_mailed_name, name, "name")


class UserForm(PersonFields):
    """A person without their password, which is nobody's but theirs."""

    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 - the admin names those that it shows

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        permissions: Any = self.fields.get("user_permissions")
        if permissions:  # each is listed with the name of its app
            permissions.queryset = permissions.queryset.select_related("content_type")


class NewOrganizationFields(forms.Form):
    """What a new organization needs beside its name."""

    admin_email = forms.EmailField(
        label="E-mail address of its admin", help_text="Somebody who is listed under Users."
    )

    def clean_admin_email(self) -> User:
        """The person behind the address."""
        user = User.objects.with_email(self.cleaned_data["admin_email"]).first()
        if user is None:
            raise forms.ValidationError("Nobody has this e-mail address. Add them first.")
        return user


class TierField(forms.ChoiceField):
    """A choice among the tiers of the settings, read when the form is shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "choices": tier_choices})

"""Forms of the staff's pages about organizations."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from django import forms
from django.conf import settings

from organizations.exceptions import DomainError, ErrorCode, Invalid, is_stale
from organizations.models import User
from organizations.text import clean_name


def cleaned(clean: Callable[[str, str], str], value: str, field: str) -> str:
    """What `clean` makes of a field's value; what it refuses is an error of the field."""
    try:
        return clean(value, field)
    except Invalid as refusal:
        raise forms.ValidationError(refusal.message) from refusal


def show_refusal(form: forms.BaseForm, refusal: DomainError) -> None:
    """Puts each problem on its field; the sentence on the form where no field fits."""
    if refusal.code == ErrorCode.NAME_TAKEN and "name" in form.fields:
        form.add_error("name", refusal.message)
        return
    for problem in refusal.problems:
        field = problem.field.partition(".")[0]
        form.add_error(field if field in form.fields else None, problem.message)
    if not refusal.problems:
        form.add_error(None, refusal.message)


class SeenForm(forms.Form):
    """An edit form that says which version of its object it was filled from.

    Its fields are named as the attributes of the object.
    """

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    @classmethod
    def of(cls, thing: Any, data: Any = None) -> Self:
        """The form as it is opened, or as it was sent."""
        names = [name for name in cls.base_fields if name != "seen"]
        values = {name: getattr(thing, name) for name in names}
        return cls(data, initial={**values, "seen": thing.updated_at.isoformat()})

    def wanted(self) -> dict[str, Any]:
        """The values to write."""
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}

    def facts_of(self, thing: Any) -> list[tuple[str, Any]]:
        """What the fields would show of `thing`, each with its label."""
        return [(str(field.label), getattr(thing, field.name)) for field in self.visible_fields()]

    @property
    def seen_at(self) -> datetime | None:
        """The version that was looked at; None where the form does not say."""
        try:
            return datetime.fromisoformat(self.cleaned_data["seen"])
        except ValueError:
            return None


def look_again(form: SeenForm, refusal: DomainError, current: Any) -> list[tuple[str, Any]] | None:
    """Puts a refusal on the form; where somebody else was first, the facts of their version.

    What was typed is kept then, as of the `current` version that is shown beside it.
    """
    show_refusal(form, refusal)
    if not is_stale(refusal):
        return None
    form.data = {**form.cleaned_data, "seen": current.updated_at.isoformat()}
    return form.facts_of(current)


def tier_choices() -> list[tuple[str, str]]:
    """The tiers of the settings with their limits."""
    return [(tier, f"{tier} ({limit})") for tier, limit in settings.RATE_LIMIT_TIERS.items()]


class PersonFields(forms.ModelForm[User]):
    """How a person's address and name are checked, old or new."""

    def clean_email(self) -> str:
        """The address as it is kept; taken whatever its case."""
        email: str = self.cleaned_data["email"].strip().lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Somebody has this e-mail address already.")
        return email

    def clean_name(self) -> str:
        """The name, which may be empty, and is as printable as every other name."""
        name: str = self.cleaned_data["name"]
        return cleaned(clean_name, name, "name") if name else ""


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
        email = self.cleaned_data["admin_email"]
        user = User.objects.filter(email__iexact=email.strip()).first()
        if user is None:
            raise forms.ValidationError("Nobody has this e-mail address. Add them first.")
        return user


class TierField(forms.ChoiceField):
    """A choice among the tiers of the settings, read when the form is shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "choices": tier_choices})

"""Form fields with length limits, errors of the services on form fields, and edit conflicts."""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, Final, Self, TypeVar

from django import forms
from django.core.validators import EmailValidator, MaxLengthValidator, validate_email

from core.exceptions import DomainError, ErrorCode, Invalid, is_stale
from core.text import (
    EMAIL_LENGTH,
    NAME_LENGTH,
    PASSWORD_LENGTH,
    canonical_email,
    is_normalizable,
    require_ascii_local_part,
)

C = TypeVar("C")


#: For fields of libraries that have no limit of their own.
_LENGTH_OF_OTHERS: Final = 500


_TOO_LONG: Final = "Use %(limit_value)s characters or fewer. You have used %(show_value)s."


class TextField(forms.CharField):
    """A text of at most `max_length` characters, counted as the services count them.

    Refused, with the count, where it is longer. The browser gets no `maxlength`: it would cut what
    is pasted without a word.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {"max_length": _TOO_LONG}

    def __init__(self, *, max_length: int = NAME_LENGTH, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.longest = max_length

    def to_python(self, value: Any) -> str:
        """The text in its composed form, or as it is where it is too long in any form."""
        text: str = super().to_python(value) or ""
        fits = is_normalizable(text, self.longest)
        return unicodedata.normalize("NFC", text) if fits else text

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attributes: dict[str, Any] = super().widget_attrs(widget)
        attributes.pop("maxlength", None)
        return attributes


class BoundedTexts(forms.BaseForm):
    """Gives each text field of another package's form a limit, and the words of ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.CharField):
                bound_length(field)


def bound_length(field: forms.CharField) -> None:
    """Limits a field that has no limit; too long a text is refused in the same words as all."""
    field.error_messages["max_length"] = _TOO_LONG
    if field.max_length is None:
        is_password = isinstance(field.widget, forms.PasswordInput)
        field.max_length = PASSWORD_LENGTH if is_password else _LENGTH_OF_OTHERS
    replaced: tuple[type, ...] = (MaxLengthValidator,)
    if isinstance(field, forms.EmailField):
        field.max_length = EMAIL_LENGTH
        replaced = (MaxLengthValidator, EmailValidator)
    others = [one for one in field.validators if not isinstance(one, replaced)]
    if isinstance(field, forms.EmailField):
        others.append(validate_email_in_any_spelling)
    field.validators = [*others, MaxLengthValidator(field.max_length)]


def validate_email_in_any_spelling(value: str) -> None:
    """Django's check, on the form that is kept; letters with accents have their own refusal."""
    try:
        validate_email(canonical_email(value))
    except forms.ValidationError:
        cleaned(require_ascii_local_part, value, "email")
        raise


def cleaned(clean: Callable[[str, str], C], value: str, field: str) -> C:
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

    seen = TextField(required=False, widget=forms.HiddenInput)

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

"""Form fields with length limits, errors of the services on form fields, and edit conflicts."""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, Final, Self, TypeVar

from django import forms
from django.core.validators import EmailValidator, MaxLengthValidator, validate_email
from django.db.models import UUIDField
from django.forms.renderers import TemplatesSetting

from core.exceptions import DomainError, ErrorCode, Invalid, is_stale
from core.redaction import holds_secret
from core.text import (
    EMAIL_LENGTH,
    NAME_LENGTH,
    PASSWORD_LENGTH,
    canonical_email,
    is_normalizable,
    require_ascii_local_part,
)

C = TypeVar("C")


#: For text fields of libraries that set no limit.
_LENGTH_OF_OTHERS: Final = 500


_SECRET_CLEARED: Final = (
    "We cleared this field because it contained an API key. Rotate that key if it was yours."
)
_UNKNOWN_CHOICE: Final = "Select a valid choice. That choice is not one of the available choices."
_TOO_LONG: Final = "Use %(limit_value)s characters or fewer. You have used %(show_value)s."


def refuse_secret(value: str) -> None:
    """Raises an error that says why the form comes back without this text."""
    if holds_secret(value):
        raise forms.ValidationError(_SECRET_CLEARED, "contains_secret")


def _cleared(value: Any) -> Any:
    """What was sent, with texts that contain an API key empty."""
    if isinstance(value, list | tuple):
        return [_cleared(one) for one in value]
    return "" if isinstance(value, str) and holds_secret(value) else value


class ClearedField(forms.BoundField):
    """A field of any kind that never sends an API key back."""

    def value(self) -> Any:
        return _cleared(super().value())


def keep_choices_out_of_errors() -> None:
    """Replaces Django's errors that repeat an unknown choice, which may be a pasted API key."""
    for field in (forms.ChoiceField, forms.MultipleChoiceField, forms.ModelMultipleChoiceField):
        field.default_error_messages["invalid_choice"] = _UNKNOWN_CHOICE
    forms.ModelMultipleChoiceField.default_error_messages["invalid_pk_value"] = _UNKNOWN_CHOICE
    UUIDField.default_error_messages["invalid"] = _UNKNOWN_CHOICE  # of a choice of objects


class FormRenderer(TemplatesSetting):
    """Django's renderer, for every form: ours, Django's and those of other packages."""

    bound_field_class = ClearedField


class TextField(forms.CharField):
    """A text of at most `max_length` characters, counted as the services count them.

    Sets no `maxlength` attribute: browsers would silently cut pasted text. Longer text is rejected
    with its length. Text that contains an API key is rejected.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "max_length": _TOO_LONG,
    }

    def __init__(self, *, max_length: int = NAME_LENGTH, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.longest = max_length

    def to_python(self, value: Any) -> str:
        """The text in NFC, or unchanged if it is too long in any form."""
        text: str = super().to_python(value) or ""
        fits = is_normalizable(text, self.longest)
        return unicodedata.normalize("NFC", text) if fits else text

    def validate(self, value: Any) -> None:
        super().validate(value)
        refuse_secret(value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attributes: dict[str, Any] = super().widget_attrs(widget)
        attributes.pop("maxlength", None)
        return attributes


class BoundedTexts(forms.BaseForm):
    """Adds length limits and our error messages to another package's form."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.CharField):
                bound_length(field)


def bound_length(field: forms.CharField) -> None:
    """Sets a length limit if the field has none, and our messages. Refuses API keys in texts."""
    field.error_messages["max_length"] = _TOO_LONG
    is_password = isinstance(field.widget, forms.PasswordInput)
    if field.max_length is None:
        field.max_length = PASSWORD_LENGTH if is_password else _LENGTH_OF_OTHERS
    replaced: tuple[type, ...] = (MaxLengthValidator,)
    if isinstance(field, forms.EmailField):
        field.max_length = EMAIL_LENGTH
        replaced = (MaxLengthValidator, EmailValidator)
    others = [one for one in field.validators if not isinstance(one, replaced)]
    if isinstance(field, forms.EmailField):
        others.append(validate_email_in_any_spelling)
    if not is_password:
        others.append(refuse_secret)
    field.validators = [*others, MaxLengthValidator(field.max_length)]


def validate_email_in_any_spelling(value: str) -> None:
    """Runs Django's check on the canonical form. Accented letters have their own error."""
    try:
        validate_email(canonical_email(value))
    except forms.ValidationError:
        cleaned(require_ascii_local_part, value, "email")
        raise


def cleaned(clean: Callable[[str, str], C], value: str, field: str) -> C:
    """Returns `clean(value, field)`, with Invalid turned into an error of the form field."""
    try:
        return clean(value, field)
    except Invalid as refusal:
        raise forms.ValidationError(refusal.message) from refusal


def show_refusal(form: forms.BaseForm, refusal: DomainError) -> None:
    """Adds each problem to its field, or to the form if it has no such field."""
    if refusal.code == ErrorCode.NAME_TAKEN and "name" in form.fields:
        form.add_error("name", refusal.message)
        return
    for problem in refusal.problems:
        field = problem.field.partition(".")[0]
        form.add_error(field if field in form.fields else None, problem.message)
    if not refusal.problems:
        form.add_error(None, refusal.message)


class VersionedForm(forms.Form):
    """An edit form that remembers which version of its object it was filled from.

    Its fields are named after the object's attributes.
    """

    seen = TextField(required=False, widget=forms.HiddenInput)

    @classmethod
    def of(cls, thing: Any, data: Any = None) -> Self:
        """The form filled from `thing`, bound to `data` if given."""
        names = [name for name in cls.base_fields if name != "seen"]
        values = {name: getattr(thing, name) for name in names}
        return cls(data, initial={**values, "seen": thing.updated_at.isoformat()})

    def service_arguments(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "seen"}

    def displayed_values(self, thing: Any) -> list[tuple[str, Any]]:
        """(label, value) of `thing` for each visible field."""
        return [(str(field.label), getattr(thing, field.name)) for field in self.visible_fields()]

    @property
    def seen_at(self) -> datetime | None:
        """The version the form was filled from. None if the form doesn't say."""
        try:
            return datetime.fromisoformat(self.cleaned_data["seen"])
        except ValueError:
            return None


def show_edit_refusal(
    form: VersionedForm, refusal: DomainError, current: Any
) -> list[tuple[str, Any]] | None:
    """Adds the error to the form. On an edit conflict, returns the other version's values.

    The form then keeps what was typed, based on the `current` version shown next to it.
    """
    show_refusal(form, refusal)
    if not is_stale(refusal):
        return None
    form.data = {**form.cleaned_data, "seen": current.updated_at.isoformat()}
    return form.displayed_values(current)

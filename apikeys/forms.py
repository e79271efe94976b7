"""Forms about keys and templates."""

from typing import Any

from django import forms

from apikeys import conf


def scope_choices() -> list[tuple[str, str]]:
    """The registry's scopes with what each opens."""
    return [(scope, f"{scope} — {description}") for scope, description in conf.scopes().items()]


class ScopesField(forms.MultipleChoiceField):
    """Checkboxes, one for each scope of the registry."""

    def __init__(self, **options: Any) -> None:
        widget = forms.CheckboxSelectMultiple
        super().__init__(**{**options, "choices": scope_choices, "widget": widget})

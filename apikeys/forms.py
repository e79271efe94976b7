"""Form fields for API keys and templates."""

from typing import Any

from django import forms

from apikeys import conf


def scope_choices() -> list[tuple[str, str]]:
    """The scopes with their descriptions."""
    return [(scope, f"{scope} — {description}") for scope, description in conf.scopes().items()]


class ScopesField(forms.MultipleChoiceField):
    """One checkbox per scope."""

    def __init__(self, **options: Any) -> None:
        widget = forms.CheckboxSelectMultiple
        super().__init__(**{**options, "choices": scope_choices, "widget": widget})

"""Form fields for API keys and templates."""

from dataclasses import dataclass
from typing import Any

from django import forms

from apikeys import conf


@dataclass(frozen=True, slots=True)
class Option:
    """The label of a choice: its name, what it means, and how a summary words it.

    `is_risky` choices carry a caution instead of a help text.
    """

    name: str
    help: str = ""
    words: str = ""
    is_risky: bool = False

    def __str__(self) -> str:
        return f"{self.name} — {self.help}" if self.help else self.name


def scope_choices() -> list[tuple[str, Option]]:
    """The scopes with their descriptions."""
    return [(scope, Option(scope, description)) for scope, description in conf.scopes().items()]


class ScopesField(forms.MultipleChoiceField):
    """One checkbox per scope."""

    def __init__(
        self, *, widget: type[forms.Widget] = forms.CheckboxSelectMultiple, **options: Any
    ) -> None:
        super().__init__(**{**options, "choices": scope_choices, "widget": widget})

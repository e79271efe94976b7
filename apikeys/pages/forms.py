"""Forms of the Developer pages. They check types and required fields; services check the rest."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django import forms
from django.utils import timezone

from apikeys.forms import Option, ScopesField
from apikeys.models import ApiKey
from core.forms import BoundedTexts, TextField, VersionedForm
from core.text import TEXT_LENGTH
from core.timestamps import stamp

NAME_HELP: Final = "Only for your reference, for example Production or CI."


def name_field(noun: str, *, help_text: str = "", autofocus: bool = False) -> TextField:
    return TextField(
        help_text=help_text,
        error_messages={"required": f"Enter a name for the {noun}."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": autofocus}),
    )


class ScopeBoxes(forms.CheckboxSelectMultiple):
    """Shows what each scope means below its name."""

    option_template_name = "apikeys/scope_option.html"


def description_field() -> TextField:
    widget = forms.Textarea(attrs={"rows": 2})
    return TextField(max_length=TEXT_LENGTH, required=False, widget=widget)


class EditKeyForm(VersionedForm):
    name = name_field("key", help_text=NAME_HELP)
    description = description_field()
    scopes = ScopesField(
        label="Permissions",
        error_messages={"required": "Choose at least one permission."},
        widget=ScopeBoxes,
    )
    expires_at = forms.DateTimeField(
        required=False,
        label="Expires (UTC)",
        help_text="Leave empty for a key that does not expire.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def service_arguments(self) -> dict[str, Any]:
        """Omits an unchanged expiry: the form shows minutes, the key has seconds."""
        values, before = super().service_arguments(), self.initial["expires_at"]
        shown = before and before.replace(second=0, microsecond=0)
        if "expires_at" in values and values["expires_at"] == shown:
            del values["expires_at"]
        return values

    def limit_to(self, name: str) -> None:
        """Leaves out all fields but one, to edit it where the key's page shows it."""
        self.fields = {n: field for n, field in self.fields.items() if n in (name, "seen")}


class TemplateForm(VersionedForm):
    name = name_field("template", autofocus=True)
    description = description_field()
    scopes = ScopesField(
        label="Permissions",
        error_messages={"required": "Choose at least one permission."},
        widget=ScopeBoxes,
    )
    lifetime_days = forms.IntegerField(
        required=False,
        label="Expires after (days)",
        help_text="From 1 to 3650. Leave empty for the organization's default expiry.",
    )


class AccountForm(VersionedForm):
    """Form of a service account."""

    name = name_field("service account", autofocus=True)
    description = description_field()


class RotateForm(forms.Form):
    """Asks how long the old secret keeps working, but at most until the key expires."""

    submission = forms.UUIDField(widget=forms.HiddenInput)
    grace = forms.ChoiceField(
        label="Keep the old secret working for", initial="86400", widget=forms.RadioSelect
    )

    def __init__(self, expires_at: datetime | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("submission", uuid4())
        grace: Any = self.fields["grace"]
        grace.choices = _grace_choices(expires_at)


def _grace_choices(expires_at: datetime | None) -> list[tuple[str, Option]]:
    """Each choice says until when."""
    now = timezone.now()
    choices = []
    for seconds, name in ((3600, "1 hour"), (86400, "24 hours"), (604800, "7 days")):
        end = now + timedelta(seconds=seconds)
        choices.append((str(seconds), Option(name, f"Until {stamp(min(end, expires_at or end))}.")))
    caution = "Anything still using the old secret gets 401 now."
    return [*choices, ("0", Option("Immediately", caution, is_risky=True))]


class DeleteForm(forms.Form):
    """Asks for the key's name, or “delete” for several keys, if any was used recently.

    `cascade` also deletes the keys that they created.
    """

    typed = TextField(widget=forms.TextInput)
    cascade = forms.BooleanField(required=False)

    def __init__(self, keys: Sequence[ApiKey], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = keys[0].name if len(keys) == 1 else "delete"
        self.in_use = [key for key in keys if is_in_use(key)]
        if not self.in_use:
            del self.fields["typed"]
            return
        typed = self.fields["typed"]
        typed.label = f"Type “{self.expected}” to confirm"
        typed.error_messages["required"] = self._mismatch
        typed.widget.attrs |= {
            "autocomplete": "off",
            "spellcheck": "false",
            "data-expected": self.expected,
        }

    @property
    def _mismatch(self) -> str:
        is_word = self.expected == "delete"
        return "Type “delete” to confirm." if is_word else "That doesn't match the key's name."

    def clean_typed(self) -> str:
        """Names are case-sensitive, “delete” is not."""
        typed: str = self.cleaned_data["typed"].strip()
        if typed != self.expected and not typed.lower() == self.expected == "delete":
            raise forms.ValidationError(self._mismatch)
        return typed


def is_in_use(key: ApiKey) -> bool:
    """Whether the key was used in the last seven days."""
    return bool(key.last_used_at and timezone.now() - key.last_used_at < timedelta(days=7))


class PastedKeyForm(BoundedTexts, forms.Form):
    """A pasted secret, which is never displayed or stored."""

    key = forms.CharField(
        label="API key",
        required=False,
        strip=True,
        max_length=500,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
    )

"""The form of a new key: a required name, and defaults for the rest."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import uuid4

from django import forms
from django.utils import timezone

from apikeys import conf
from apikeys.forms import ScopesField
from apikeys.models import KeyTemplate
from apikeys.pages.forms import NAME_HELP, description_field, name_field
from apikeys.scopes import default_scopes
from apikeys.services import IdempotencyToken
from apikeys.tokens import Environment
from core.timestamps import stamp
from organizations.models import ServiceAccount

_PERIODS: Final = (7, 30, 60, 90, 180, 365)
_CUSTOM: Final = "custom"
_NEVER: Final = "never"
_STANDARD: Final = "standard"
_PERMISSIONS: Final = (
    (_STANDARD, "Standard: everything except managing API keys"),
    ("read", "Read only"),
    ("full", "Full access: managing API keys included"),
    (_CUSTOM, "Custom: choose below"),
)


def _expiry_choices() -> list[tuple[str, str]]:
    """Each period's label says when a key created now would expire."""
    now = timezone.now()
    periods = [
        (str(days), f"{'1 year' if days == 365 else f'{days} days'}: until {stamp(end)}")
        for days in _PERIODS
        if (end := now + timedelta(days=days))
    ]
    return [("", "Never"), *periods, (_CUSTOM, "Custom date")]


class ExpiryFields(forms.Form):
    """When a key expires: after a period, or at the end of a day."""

    expires = forms.ChoiceField(choices=_expiry_choices, required=False)
    expires_on = forms.DateField(
        label="Custom date",
        required=False,
        help_text="The key stops working at the end of this day, at 23:59 UTC.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def _chosen_expiry(self) -> datetime | None:
        chosen = self.cleaned_data.get("expires") or _NEVER
        day = self.cleaned_data.get("expires_on")
        if chosen != _CUSTOM:
            if day:  # never ignore a date that was filled in
                self.add_error("expires", "Choose “Custom date” to use the date, or clear it.")
            return None if chosen == _NEVER else timezone.now() + timedelta(days=int(chosen))
        if day is None:
            if "expires_on" not in self.errors:
                self.add_error("expires_on", "Choose a date.")
            return None
        return self._end_of_day(day)

    def _end_of_day(self, day: date) -> datetime | None:
        if day <= timezone.now().date():
            self.add_error("expires_on", "Choose a date after today.")
            return None
        return datetime.combine(day, time(23, 59), UTC)


class CreateKeyForm(ExpiryFields):
    """Checks types and required fields; the service checks the rest."""

    submission = forms.UUIDField(widget=forms.HiddenInput)
    name = name_field("key", help_text=NAME_HELP, autofocus=True)
    template = forms.ModelChoiceField(
        KeyTemplate.objects.none(),
        required=False,
        empty_label="None",
        help_text="Sets the permissions and the expiry that you leave as they are.",
    )
    description = description_field()
    environment = forms.ChoiceField(
        choices=[(e, e.capitalize()) for e in Environment],
        initial=Environment.LIVE,
        required=False,
        help_text="Part of the key itself; it can't be changed later.",
        widget=forms.RadioSelect,
    )
    permissions = forms.ChoiceField(
        choices=_PERMISSIONS, initial=_STANDARD, required=False, widget=forms.RadioSelect
    )
    scopes = ScopesField(required=False, label="Custom permissions")
    service_account = forms.ModelChoiceField(
        ServiceAccount.objects.none(),
        required=False,
        empty_label="None",
        help_text="The machine that the key is for. Disabling it stops the key.",
    )
    field_order = (
        "submission",
        "name",
        "template",
        "description",
        "environment",
        "permissions",
        "scopes",
        "expires",
        "expires_on",
        "service_account",
    )

    def __init__(self, templates: Any, accounts: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["template"].queryset = templates
        if templates.exists():
            choices = [("", "As the template says, or never"), (_NEVER, "Never")]
            fields["expires"].choices = [*choices, *_expiry_choices()[1:]]
        fields["service_account"].queryset = accounts
        self.initial.setdefault("submission", uuid4())

    @property
    def options(self) -> list[forms.BoundField]:
        """The fields under “More options”."""
        return [field for field in self.visible_fields() if field.name != "name"]

    @property
    def shows_options(self) -> bool:
        """Whether one of the options was changed or has an error."""
        names = {field.name for field in self.options}
        return bool(names & ({*self.errors} | set(self.changed_data if self.is_bound else ())))

    def clean(self) -> dict[str, Any]:
        """Rejects “Custom” without permissions, and permissions without “Custom”."""
        data = super().clean() or self.cleaned_data
        is_custom = data.get("permissions") == _CUSTOM
        if is_custom and not data.get("scopes") and "scopes" not in self.errors:
            self.add_error("scopes", "Choose at least one permission.")
        if data.get("scopes") and not is_custom:
            message = "Choose “Custom” to use the permissions that are ticked, or untick them."
            self.add_error("permissions", message)
        data["expires_at"] = self._chosen_expiry()
        return data

    def service_arguments(self) -> dict[str, Any]:
        """The arguments for `services.create_api_key`."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "description": data["description"],
            "environment": data["environment"] or None,
            "scopes": self._scopes(),
            "expires_at": data["expires_at"] or self._template_expiry(),
            "service_account": data["service_account"],
            "submission": IdempotencyToken(data["submission"].hex),
        }

    def _scopes(self) -> list[str]:
        registry, template = conf.scopes(), self.cleaned_data["template"]
        chosen = self.cleaned_data["permissions"] or _STANDARD
        if chosen == _STANDARD and template:
            return [scope for scope in template.scopes if scope in registry]
        if chosen == _CUSTOM:
            return list(self.cleaned_data["scopes"])
        if chosen == "read":
            return [scope for scope in registry if scope.endswith(":read")]
        return list(registry) if chosen == "full" else default_scopes(registry, None)

    def _template_expiry(self) -> datetime | None:
        """None without a template's lifetime, or if “Never” was chosen."""
        template = None if self.cleaned_data["expires"] == _NEVER else self.cleaned_data["template"]
        days = template.lifetime_days if template else None
        return timezone.now() + timedelta(days=days) if days else None

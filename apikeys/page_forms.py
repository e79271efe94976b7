"""Forms of the customers' pages about keys."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import uuid4

from django import forms
from django.utils import timezone

from apikeys import conf
from apikeys.forms import ScopesField
from apikeys.models import ApiKey, KeyTemplate
from apikeys.scopes import default_scopes
from apikeys.tokens import Environment
from organizations.forms import SeenForm

_PERIODS: Final = (7, 30, 60, 90, 180, 365)
_CUSTOM: Final = "custom"
_NAME_HELP: Final = "Only for your reference, for example Production or CI."
_STANDARD: Final = "standard"
_PERMISSIONS: Final = (
    (_STANDARD, "Standard: everything except managing API keys"),
    ("read", "Read only"),
    ("full", "Full access: managing API keys included"),
    (_CUSTOM, "Custom: choose below"),
)


def stamp(moment: datetime) -> str:
    """A moment to the minute: ``18 Feb 2027, 14:05 UTC``."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y, %H:%M} UTC"


def _expiry_choices() -> list[tuple[str, str]]:
    """The periods, each with the moment at which it would end if chosen now."""
    now = timezone.now()
    periods = [
        (str(days), f"{'1 year' if days == 365 else f'{days} days'}: until {stamp(end)}")
        for days in _PERIODS
        if (end := now + timedelta(days=days))
    ]
    return [("", "Never"), *periods, (_CUSTOM, "Custom date")]


class ExpiryFields(forms.Form):
    """When a key ends: a period from now, or the end of a day."""

    expires = forms.ChoiceField(choices=_expiry_choices, required=False)
    expires_on = forms.DateField(
        label="Custom date",
        required=False,
        help_text="The key stops working at the end of this day, at 23:59 UTC.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def _moment(self) -> datetime | None:
        chosen, day = self.cleaned_data.get("expires"), self.cleaned_data.get("expires_on")
        if chosen != _CUSTOM:
            return timezone.now() + timedelta(days=int(chosen)) if chosen else None
        if day is None:
            if "expires_on" not in self.errors:
                self.add_error("expires_on", "Choose a date.")
            return None
        return self._end_of(day)

    def _end_of(self, day: date) -> datetime | None:
        if day <= timezone.now().date():
            self.add_error("expires_on", "Choose a date after today.")
            return None
        return datetime.combine(day, time(23, 59), UTC)


class CreateKeyForm(ExpiryFields):
    """A name; the rest has defaults. Shapes only: the service has the last word."""

    submission = forms.UUIDField(widget=forms.HiddenInput)
    name = forms.CharField(
        max_length=1000,
        help_text=_NAME_HELP,
        error_messages={"required": "Enter a name for the key."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    template = forms.ModelChoiceField(
        KeyTemplate.objects.none(),
        required=False,
        empty_label="None",
        help_text="Sets the permissions and the expiry that you leave as they are.",
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
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
    )

    def __init__(self, templates: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["template"]
        chosen.queryset = templates
        self.initial.setdefault("submission", uuid4())

    @property
    def options(self) -> list[forms.BoundField]:
        """What stands under “More options”."""
        return [field for field in self.visible_fields() if field.name != "name"]

    @property
    def shows_options(self) -> bool:
        """Whether something there was chosen or needs attention."""
        names = {field.name for field in self.options}
        return bool(names & ({*self.errors} | set(self.changed_data if self.is_bound else ())))

    def clean(self) -> dict[str, Any]:
        """Refuses custom permissions without any."""
        data = super().clean() or self.cleaned_data
        unchosen = not data.get("scopes") and "scopes" not in self.errors
        if data.get("permissions") == _CUSTOM and unchosen:
            self.add_error("scopes", "Choose at least one permission.")
        data["expires_at"] = self._moment()
        return data

    def wanted(self) -> dict[str, Any]:
        """The fields of `services.create_api_key`."""
        data = self.cleaned_data
        return {
            "name": data["name"],
            "description": data["description"],
            "environment": data["environment"] or None,
            "scopes": self._scopes(),
            "expires_at": data["expires_at"] or self._end_of_template(),
            "submission": data["submission"],
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

    def _end_of_template(self) -> datetime | None:
        template = self.cleaned_data["template"]
        days = template.lifetime_days if template else None
        return timezone.now() + timedelta(days=days) if days else None


class EditKeyForm(SeenForm):
    """What can be changed about a key."""

    name = forms.CharField(
        max_length=1000,
        help_text=_NAME_HELP,
        error_messages={"required": "Enter a name for the key."},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    scopes = ScopesField(
        label="Permissions", error_messages={"required": "Choose at least one permission."}
    )
    expires_at = forms.DateTimeField(
        required=False,
        label="Expires (UTC)",
        help_text="Leave empty for a key that does not expire.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    @classmethod
    def of(cls, key: ApiKey) -> "EditKeyForm":
        """The form as it is opened."""
        return cls(initial=values_of(key))

    def wanted(self, key: ApiKey) -> dict[str, Any]:
        """The fields to change. A moment shown to the minute is not a changed one."""
        data = self.cleaned_data
        changes = {name: data[name] for name in ("name", "description", "scopes")}
        shown = key.expires_at.replace(second=0, microsecond=0) if key.expires_at else None
        if data["expires_at"] != shown:
            changes["expires_at"] = data["expires_at"]
        return changes


def values_of(key: ApiKey) -> dict[str, Any]:
    """What the edit form shows of a key."""
    return {
        "seen": key.updated_at.isoformat(),
        "name": key.name,
        "description": key.description,
        "scopes": key.scopes,
        "expires_at": key.expires_at,
    }


class RotateForm(forms.Form):
    """How long the older secret goes on working."""

    submission = forms.UUIDField(widget=forms.HiddenInput)
    grace = forms.ChoiceField(
        label="The old secret keeps working for",
        choices=[
            ("0", "No time: it stops now"),
            ("3600", "1 hour"),
            ("86400", "24 hours"),
            ("604800", "7 days"),
        ],
        initial="86400",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("submission", uuid4())


class DeleteForm(forms.Form):
    """Asks for the name of a key that was used lately."""

    typed = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, key: ApiKey, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key = key
        self.fields["typed"].label = f"Type {key.name} to confirm"
        if not is_in_use(key):
            del self.fields["typed"]

    def clean_typed(self) -> str:
        """The name, case kept."""
        typed: str = self.cleaned_data["typed"]
        if typed.strip() != self.key.name:
            raise forms.ValidationError("That doesn't match the key's name.")
        return typed


def is_in_use(key: ApiKey) -> bool:
    """Whether the key was used in the last seven days."""
    return bool(key.last_used_at and timezone.now() - key.last_used_at < timedelta(days=7))


class TestKeyForm(forms.Form):
    """A pasted secret, which is never shown again nor kept."""

    __test__ = False

    key = forms.CharField(
        label="API key",
        required=False,
        strip=True,
        max_length=500,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
    )

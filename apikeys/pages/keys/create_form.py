"""The form of a new key: a required name, and defaults for the rest."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import uuid4

from django import forms
from django.utils import timezone

from apikeys.forms import Option, ScopesField
from apikeys.models import KeyTemplate
from apikeys.pages.forms import NAME_HELP, name_field
from apikeys.pages.keys import presets
from apikeys.pages.keys.presets import CUSTOM, NEVER, STANDARD
from apikeys.services import IdempotencyToken
from apikeys.tokens import Environment
from core.forms import TextField
from core.text import TEXT_LENGTH
from core.timestamps import stamp
from organizations.models import KEY_PERIODS, ServiceAccount

_ENVIRONMENTS: Final = [(e, Option(e.capitalize(), words=e.capitalize())) for e in Environment]


def expiry_choices(more: Iterable[int] = ()) -> list[tuple[str, Option]]:
    """Never, the usual periods and `more` days, and a date."""
    periods = [(days, presets.period_in_words(days)) for days in sorted({*KEY_PERIODS, *more})]
    return [
        (NEVER, Option("Never", words="Never expires")),
        *((str(days), Option(name, words=f"Expires in {name}")) for days, name in periods),
        (CUSTOM, Option("Custom date", words="Expires on a custom date")),
    ]


def expires_at(days: str) -> datetime | None:
    """When a key that is created now expires. None for NEVER and CUSTOM."""
    known = days.isascii() and days.isdecimal() and len(days) < 5  # no choice has more digits
    return timezone.now() + timedelta(days=int(days)) if known else None


class ExpirySelect(forms.Select):
    """Each option says when the key would stop working, for the script."""

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **options)
        end = expires_at(str(value))
        option["attrs"] |= {
            "data-words": option["label"].words,
            "data-end": stamp(end) if end else "",
        }
        return option


class TemplateSelect(forms.Select):
    """Each option says what it fills in, for the script."""

    #: The organization's default expiry, which templates without a lifetime leave.
    default_days: int | None = None

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **options)
        if value:
            template: KeyTemplate = value.instance
            filled = presets.filled_in(template, self.default_days)
            option["attrs"] |= {
                "data-permissions": filled["permissions"],
                "data-scopes": " ".join(filled["scopes"]),
                "data-expires": filled["expires"],
                "data-named": presets.permissions_in_words(presets.known_scopes(template)),
                "data-period": presets.period_in_words(template.lifetime_days or self.default_days),
            }
        return option


class ExpiryFields(forms.Form):
    """When a key expires: after a period, or at the end of a day."""

    #: The choice that counts if none was sent.
    default_expiry = NEVER
    expires = forms.ChoiceField(
        choices=expiry_choices, initial=NEVER, required=False, widget=ExpirySelect
    )
    expires_on = forms.DateField(
        label="Custom date (UTC)",
        required=False,
        help_text="Stops working at the end of this day, 23:59 UTC.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def _chosen_expiry(self) -> datetime | None:
        chosen = self.cleaned_data.get("expires") or self.default_expiry
        day = self.cleaned_data.get("expires_on")
        if chosen != CUSTOM:
            if day:  # never ignore a date that was filled in
                self.add_error("expires", "Choose “Custom date” to use the date, or clear it.")
            return expires_at(chosen)
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
    """Checks types and required fields; the service checks the rest.

    `filled` is the template whose values the fields show. Then they count as they are. If another
    template is chosen, as without scripts, it replaces what is left at its default. `default_days`
    is the organization's default expiry, and `shown_default` what it was when the form was opened.
    """

    submission = forms.UUIDField(widget=forms.HiddenInput)
    filled = TextField(required=False, widget=forms.HiddenInput)
    shown_default = TextField(required=False, widget=forms.HiddenInput)
    name = name_field("key", help_text=NAME_HELP, autofocus=True)
    template = forms.ModelChoiceField(
        KeyTemplate.objects.none(),
        required=False,
        empty_label="None",
        help_text="Fills in permissions and expiry. Anything you set below wins.",
        widget=TemplateSelect,
    )
    description = TextField(
        max_length=TEXT_LENGTH,
        required=False,
        help_text=f"Up to {TEXT_LENGTH} characters.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    environment = forms.ChoiceField(
        choices=_ENVIRONMENTS,
        initial=Environment.LIVE,
        required=False,
        help_text="Part of the key itself. It can't be changed later.",
        widget=forms.RadioSelect,
    )
    permissions = forms.ChoiceField(
        choices=presets.PERMISSIONS, initial=STANDARD, required=False, widget=forms.RadioSelect
    )
    scopes = ScopesField(required=False, label="Custom permissions")
    service_account = forms.ModelChoiceField(
        ServiceAccount.objects.none(),
        required=False,
        empty_label="None",
        help_text="Disabling it disables all its keys.",
    )

    def __init__(
        self, templates: Any, accounts: Any, default_days: int | None, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        self.default_days = default_days
        self.default_expiry = default = presets.expiry_of(default_days)
        self.initial = {"expires": default, "shown_default": default, **self.initial}
        fields["expires"].widget.attrs["data-default"] = default
        fields["template"].widget.default_days = default_days
        fields["template"].queryset = templates
        fields["service_account"].queryset = accounts
        lifetimes = set(templates.order_by().values_list("lifetime_days", flat=True).distinct())
        self.has_templates = bool(lifetimes)
        fields["expires"].choices = expiry_choices({*lifetimes, default_days} - {None})
        self.initial.setdefault("submission", uuid4())

    @property
    def shows_options(self) -> bool:
        """Whether an option was changed, is filled in, or has an error."""
        names = {field.name for field in self.visible_fields()} - {"name"}
        given = self.changed_data if self.is_bound else [*filter(self.initial.get, self.initial)]
        preset = {"environment", "permissions", "expires"} if not self.is_bound else set()
        return bool(names & {*self.errors, *given} - preset)

    @property
    def in_words(self) -> str:
        """The options that most keys differ in: ``Live · Standard permissions · Never expires``."""
        fields: dict[str, Any] = self.fields
        return " · ".join(
            option.words
            for name in ("environment", "permissions", "expires")
            for value, option in fields[name].choices
            if str(value) == str(self[name].value() or fields[name].initial)
        )

    @property
    def end_in_words(self) -> str:
        """When a key with the chosen period stops working. Empty for NEVER and CUSTOM."""
        end = expires_at(str(self["expires"].value() or ""))
        return stamp(end) if end else ""

    @property
    def filling(self) -> tuple[str, str] | None:
        """What the template whose values the form shows has filled in: permissions and expiry."""
        chosen = str(self["template"].value() or "")
        if not chosen or chosen != self["filled"].value():
            return None
        field: Any = self.fields["template"]
        template: KeyTemplate | None = field.queryset.filter(pk=chosen).first()
        if template is None:
            return None
        named = presets.permissions_in_words(presets.known_scopes(template))
        return named, presets.period_in_words(template.lifetime_days or self.default_days)

    def clean(self) -> dict[str, Any]:
        """Rejects “Custom” without permissions, and permissions without “Custom”."""
        data = super().clean() or self.cleaned_data
        is_custom = data.get("permissions") == CUSTOM
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
            "expires_at": self._template_expiry() or data["expires_at"],
            "service_account": data["service_account"],
            "submission": IdempotencyToken(data["submission"].hex),
        }

    @property
    def _unfilled_template(self) -> KeyTemplate | None:
        """The chosen template, unless the fields already show its values."""
        template: KeyTemplate | None = self.cleaned_data["template"]
        return template if template and str(template.pk) != self.cleaned_data["filled"] else None

    def _scopes(self) -> list[str]:
        chosen, template = self.cleaned_data["permissions"] or STANDARD, self._unfilled_template
        if chosen == CUSTOM:
            return list(self.cleaned_data["scopes"])
        if chosen == STANDARD and template:
            return presets.known_scopes(template)
        return presets.scopes_of(chosen)

    def _template_expiry(self) -> datetime | None:
        """The expiry of the chosen template, if the field was left at its default."""
        template, chosen = self._unfilled_template, self.cleaned_data["expires"]
        shown = self.cleaned_data["shown_default"] or self.default_expiry
        if template is None or chosen not in ("", shown):
            return None
        return expires_at(str(template.lifetime_days))

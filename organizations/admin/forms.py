"""Admin forms for users and organizations."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.forms.models import ModelChoiceIterator
from django.utils.text import capfirst

from core.forms import BoundedTexts, bound_length, cleaned
from core.text import canonical_email, clean_email
from organizations.email_names import clean_mailed_name
from organizations.models import User


def tier_choices() -> list[tuple[str, str]]:
    """The configured tiers with their limits."""
    return [(tier, f"{tier} ({limit})") for tier, limit in settings.RATE_LIMIT_TIERS.items()]


#: What Django's permissions let staff do.
_VERBS: Final = {"view": "View", "add": "Create", "change": "Change", "delete": "Remove"}


def permission_in_words(permission: Permission) -> str:
    """The permission in words: ``View API keys``."""
    return f"{_verb(permission)} {_subject(permission)}"


def _verb(permission: Permission) -> str:
    action = permission.codename.partition("_")[0]
    return _VERBS.get(action, permission.name)


def _subject(permission: Permission) -> str:
    model = permission.content_type.model_class()
    return str(model._meta.verbose_name_plural) if model else permission.content_type.model  # noqa: SLF001 - Django's documented name


def permissions_in_use() -> QuerySet[Permission]:
    """The permissions that pages of the admin ask for."""
    used = Q(pk=None)
    for model in apps.get_models():
        if admin.site.is_registered(model):
            actions: tuple[str, ...] = getattr(
                admin.site.get_model_admin(model), "permissions_in_use", ()
            )
            opts = model._meta  # noqa: SLF001 - Django's documented name
            names = [f"{action}_{opts.model_name}" for action in actions]
            used |= Q(
                content_type__app_label=opts.app_label,
                content_type__model=opts.model_name,
                codename__in=names,
            )
    return Permission.objects.filter(used)


class _BySubject(ModelChoiceIterator[Permission]):
    """Permissions in groups: what they are about, and what they allow."""

    def __iter__(self) -> Iterator[Any]:
        permissions = self.queryset.select_related("content_type")
        order = list(_VERBS.values())
        rows = sorted(
            ((_subject(p), _verb(p), p) for p in permissions),
            key=lambda row: (row[0].casefold(), order.index(row[1]) if row[1] in order else 9),
        )
        for subject, group in groupby(rows, key=lambda row: row[0]):
            yield capfirst(subject), [(p.pk, verb) for _, verb, p in group]


class PermissionsField(forms.ModelMultipleChoiceField[Permission]):
    """Permissions of staff as groups of checkboxes. Offers those that the admin asks for."""

    iterator = _BySubject

    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=permissions_in_use(),
            required=False,
            label="Permissions",
            help_text="What this person may do here. Superusers may do everything.",
            widget=forms.CheckboxSelectMultiple,
            **options,
        )

    def offer_also(self, held: QuerySet[Permission]) -> None:
        """Offers what a person already has, so that saving other changes keeps it."""
        known = permissions_in_use().values("pk")
        self.queryset = Permission.objects.filter(Q(pk__in=known) | Q(pk__in=held.values("pk")))


#: Field of a user → its label and help text.
_WORDS: Final = {
    "email": ("Email address", ""),
    "is_active": ("Active", "Clear this instead of deleting the user."),
    "is_staff": ("Staff", "Can sign in to this administration."),
    "is_superuser": ("Superuser", "Has every permission."),
}


class PersonFields(forms.ModelForm[User]):
    """Validates a user's email address and name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        email = self.fields.get("email")
        if isinstance(email, forms.CharField):
            bound_length(email)

    def clean_email(self) -> str:
        """The canonical address. Rejects it if it is taken, ignoring case."""
        email = canonical_email(self.cleaned_data["email"])
        if email != self.instance.email:
            email = cleaned(clean_email, self.cleaned_data["email"], "email")
        if User.objects.with_email(email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("This email address is already in use.")
        return email

    def clean_name(self) -> str:
        """The name, which may be empty. An unchanged name isn't checked again."""
        name: str = self.cleaned_data["name"]
        unchanged = self.instance.pk and "name" not in self.changed_data
        return name if unchanged or not name else cleaned(clean_mailed_name, name, "name")


class UserForm(PersonFields):
    """A user without their password, which only they can set."""

    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 - the admin chooses the fields

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        permissions = self.fields.get("user_permissions")
        if isinstance(permissions, PermissionsField) and self.instance.pk:
            permissions.offer_also(self.instance.user_permissions.all())
        for name, (label, help_text) in _WORDS.items():
            if name in self.fields:
                self.fields[name].label, self.fields[name].help_text = label, help_text


class NewOrganizationFields(BoundedTexts, forms.Form):
    """Additional fields of a new organization."""

    admin_email = forms.EmailField(
        label="Email address of the admin", help_text="Must belong to an existing user."
    )

    def clean_admin_email(self) -> User:
        """The user with this email address."""
        user = User.objects.with_email(self.cleaned_data["admin_email"]).first()
        if user is None:
            raise forms.ValidationError("No user has this email address. Add the user first.")
        return user


class TierField(forms.ChoiceField):
    """A choice of the configured tiers, read when the form is shown."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "choices": tier_choices})

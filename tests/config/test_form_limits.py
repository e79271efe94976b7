"""Every text field of every form has a length limit, including forms of libraries."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account import app_settings as account_settings
from allauth.account.forms import UserTokenForm
from allauth.utils import get_form_class
from django import forms
from django.contrib import admin
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from core.forms import BoundedTexts, TextField
from core.text import PASSWORD_LENGTH
from organizations.admin.base import SearchedList
from organizations.models import Organization, User
from tests.admin.support import enter

#: A UUID is read whole or not at all; Django reads it before any limit would be looked at.
_READ_WHOLE = (forms.UUIDField,)
_OURS = ("apikeys.", "config.", "core.", "organizations.")


def unbounded(form: Any) -> list[str]:
    """The text fields of a form, or of its class, that take a text of any length."""
    is_class = isinstance(form, type)
    if is_class and issubclass(form, BoundedTexts):
        return []  # its fields get their limits when the form is made, as a test below shows
    fields = form.base_fields if is_class else form.fields
    return [
        f"{form}.{name}" if is_class else name
        for name, field in fields.items()
        if isinstance(field, forms.CharField)
        and not isinstance(field, _READ_WHOLE)
        and field.max_length is None
    ]


def _forms_below(parent: type[Any]) -> Iterator[type[Any]]:
    for form in parent.__subclasses__():
        yield form
        yield from _forms_below(form)


def _views(patterns: list[Any]) -> Iterator[Any]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield getattr(pattern.callback, "view_class", None)


def _used_by_allauth() -> Iterator[type[Any]]:
    for view in _views(get_resolver().url_patterns):
        for chooser in ("get_form_class", "get_webauthn_form_class"):
            if view and view.__module__.startswith("allauth.") and hasattr(view, chooser):
                chosen = view()
                chosen._action = chosen._process = None  # for views of several forms
                yield getattr(chosen, chooser)()
    yield get_form_class(account_settings.FORMS, "user_token", UserTokenForm)


def test_no_form_of_ours_takes_a_text_of_any_length() -> None:
    list(_views(get_resolver().url_patterns))  # loads whatever has an address
    ours = {form for form in _forms_below(forms.BaseForm) if form.__module__.startswith(_OURS)}

    assert len([form for form in ours if hasattr(form, "base_fields")]) > 25
    missing = [unbounded(form) for form in ours if hasattr(form, "base_fields")]
    assert [field for fields in missing for field in fields] == []


def test_no_form_of_allauth_in_use_takes_a_text_of_any_length() -> None:
    used = set(_used_by_allauth())

    assert len(used) > 15
    assert [field for form in used for field in unbounded(form)] == []


@pytest.fixture
def asked(staff: User) -> HttpRequest:
    request = RequestFactory().get("/admin/")
    request.user = staff
    request.session = SessionStore()
    return request


def test_no_form_of_the_staff_takes_a_text_of_any_length(
    asked: HttpRequest, acme: Organization
) -> None:
    missing = []
    for model, page in admin.site._registry.items():
        for row in (None, model._default_manager.first()):
            missing += unbounded(page.get_form(asked, row, change=row is not None))
        assert issubclass(page.get_changelist(asked), SearchedList), model
        assert list(page.list_editable) == []
        assert list(page.get_inline_instances(asked)) == []
    missing += unbounded(SearchedList.search_form_class({}))

    assert missing == []


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/reauthenticate/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/add/",
        "/admin/password_change/",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
    ],
)
def test_the_forms_that_are_shown_have_their_limits(path: str, staff: User) -> None:
    anonymous = any(part in path for part in ("login", "signup", "reset"))
    client = Client() if anonymous else enter(Client(), staff)
    response = client.get(path)
    form = response.context["form"]

    assert isinstance(form, BoundedTexts)
    assert unbounded(form) == []
    assert 'maxlength="' not in "".join(
        str(form[name])
        for name, field in form.fields.items()
        if isinstance(field.widget, forms.PasswordInput)
    )


class _Unbounded(forms.Form):
    text = forms.CharField()
    id = forms.UUIDField()


def test_a_field_without_a_limit_is_found() -> None:
    assert len(unbounded(_Unbounded)) == 1
    assert unbounded(_Unbounded()) == ["text"]


class _Others(BoundedTexts, forms.Form):
    text = forms.CharField()
    short = forms.CharField(max_length=3)
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput)


def test_limits_are_given_to_each_field_once() -> None:
    form = _Others(dict.fromkeys(_Others.base_fields, "x@example.com" * 300))

    limits = {name: getattr(field, "max_length", None) for name, field in form.fields.items()}
    assert limits == {"text": 500, "short": 3, "email": 254, "password": PASSWORD_LENGTH}
    assert form.errors["short"] == ["Use 3 characters or fewer. You have used 3900."]
    assert form.errors["password"] == ["Use 1000 characters or fewer. You have used 3900."]


def test_a_browser_is_not_asked_to_cut_what_is_pasted() -> None:
    assert "maxlength" not in TextField().widget_attrs(forms.TextInput())

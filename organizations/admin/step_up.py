"""The admin's step-up: a form is shown again with its input; an action asks for a repetition."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.signin.step_up import StepUp


def confirmation_first(request: HttpRequest) -> HttpResponse | None:
    """Where to confirm an old sign-in before anything sensitive; None where it is recent."""
    step = StepUp(request)
    if not step.is_needed:
        return None
    messages.warning(request, "Confirm that it is you, then do it again.")
    return HttpResponseRedirect(step.url)


def confirmed(action: Callable[..., Any]) -> Callable[..., Any]:
    """An action of the list that wants a recent sign-in, as its like on the settings pages."""

    @wraps(action)
    def wrapper(page: Any, request: HttpRequest, queryset: Any) -> Any:
        return confirmation_first(request) or action(page, request, queryset)

    return wrapper


def too_old(address: str) -> SafeString:
    """What a form says whose sender signed in too long ago, with the page to confirm it."""
    text = (
        'Your sign-in is too old for this. <a href="{}" target="_blank">Confirm it</a> in'
        " another tab, then send this again."
    )
    return format_html(text, address)


class RecentForm(forms.ModelForm[Any]):
    """A form that an old sign-in can't send, unless it changes `harmless` fields alone.

    It is shown again with what was typed, and can be sent again once the sign-in is confirmed.
    """

    #: Fields that neither widen authority nor change who gets in.
    harmless: ClassVar[frozenset[str]] = frozenset()
    #: Where an old sign-in is confirmed; empty for a recent one.
    confirmation: ClassVar[str] = ""

    def is_free(self, name: str) -> bool:
        """Whether an old sign-in may change the field to what was sent."""
        return name in self.harmless

    def differs(self, name: str) -> bool:
        """Whether what was sent for the field differs from what is stored.

        What the sender says that the form showed (`changed_data` believes it) decides nothing here.
        """
        field = self[name]
        return bool(field.field.has_changed(field.initial, field.data))

    def asks(self, name: str) -> bool:
        """Whether what was sent for the field needs a recent sign-in; all of a new row does."""
        is_new = self.instance._state.adding  # noqa: SLF001 - as Django's own forms
        return not self.is_free(name) and (is_new or self.differs(name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.confirmation and any(self.asks(name) for name in self.fields):
            self.add_error(None, too_old(self.confirmation))
        return cleaned

"""Reauthentication in the staff admin: forms keep their input, lists their selection."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar, Final, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from organizations.signin.step_up import StepUp

#: Where the session keeps what was selected in a list while its action waits.
_SELECTION: Final = "admin_selection"
#: Rows that are kept: a page of a list.
_MOST_KEPT: Final = 100


class Selection(NamedTuple):
    """An action of a list, and the rows that it was chosen for."""

    action: str
    rows: list[str]


def confirmation_first(request: HttpRequest) -> HttpResponse | None:
    """A redirect to reauthentication if the sign-in is not recent, otherwise None."""
    step = StepUp(request)
    if not step.is_needed:
        return None
    messages.warning(request, "Confirm it's you to continue.")
    return HttpResponseRedirect(step.url)


def _keep_selection(request: HttpRequest) -> None:
    rows = request.POST.getlist(ACTION_CHECKBOX_NAME)[:_MOST_KEPT]
    request.session[_SELECTION] = [request.path, request.POST.get("action", ""), rows]


def kept_selection(request: HttpRequest) -> Selection | None:
    """The selection that a confirmation interrupted on this list. Forgets it."""
    path, *selection = request.session.get(_SELECTION) or [""]
    if path != request.path or request.method != "GET":
        return None
    del request.session[_SELECTION]
    return Selection(*selection)


def confirmed(action: Callable[..., Any]) -> Callable[..., Any]:
    """Requires a recent sign-in for a list action, as the settings pages do for the same change."""

    @wraps(action)
    def wrapper(page: Any, request: HttpRequest, queryset: Any) -> Any:
        first = confirmation_first(request)
        if first:
            _keep_selection(request)
        return first or action(page, request, queryset)

    return wrapper


def too_old(address: str) -> SafeString:
    """The error of a form sent with an old sign-in, with a link to reauthenticate."""
    text = (
        'Your sign-in is too old for this. <a href="{}" target="_blank">Confirm it</a> in'
        " another tab, then send this again."
    )
    return format_html(text, address)


class RecentForm(forms.ModelForm[Any]):
    """A form that requires a recent sign-in, unless it changes only `harmless` fields.

    Without one it is shown again with its input, and can be sent again after reauthentication.
    """

    #: Fields that neither extend permissions nor change who has access.
    harmless: ClassVar[frozenset[str]] = frozenset()
    #: The URL of reauthentication. Empty if the sign-in is recent.
    confirmation: ClassVar[str] = ""

    def is_free(self, name: str) -> bool:
        """Whether the field may be changed without a recent sign-in."""
        return name in self.harmless

    def differs(self, name: str) -> bool:
        """Whether the submitted value differs from the stored one.

        Unlike `changed_data`, ignores the initial value in the submitted form.
        """
        field = self[name]
        return bool(field.field.has_changed(field.initial, field.data))

    def asks(self, name: str) -> bool:
        """Whether the submitted value requires a recent sign-in. Always for a new row."""
        is_new = self.instance._state.adding  # noqa: SLF001 - as Django's own forms
        return not self.is_free(name) and (is_new or self.differs(name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.confirmation and any(self.asks(name) for name in self.fields):
            self.add_error(None, too_old(self.confirmation))
        return cleaned

"""What the staff's pages share: they write through services and show refusals on the form."""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any, Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import models
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from core import bulkheads, ids, revocation_wait
from core.actors import Actor
from core.exceptions import Busy, DomainError
from core.forms import TextField, show_refusal
from core.redaction import REDACTED, holds_secret, redact
from core.request_context import request_context_of
from organizations.admin.step_up import RecentForm
from organizations.signin.step_up import StepUp

M = TypeVar("M", bound=Model)
SEARCH_LENGTH: Final = 200
#: Lookups that run an expression of the visitor's own, which may take for ever.
_EXPRESSIONS: Final = frozenset({"regex", "iregex"})


def staff_actor(request: HttpRequest) -> Actor:
    """The member of staff who asks; their events carry their name and address."""
    user: Any = request.user
    return Actor.staff(user.id, str(user), request_context_of(request))


class SearchForm(ChangeListSearchForm):
    """Django's search box with a limit; what is too long is said, and not searched for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEARCH_VAR] = TextField(
            max_length=SEARCH_LENGTH,
            required=False,
            strip=False,
            error_messages={"max_length": "Search: use %(limit_value)s characters or fewer."},
        )


class SearchedList(ChangeList):
    """Django's list with that search box."""

    search_form_class = SearchForm


class ServiceForm(RecentForm):
    """A form that shows what the service has refused, on the fields concerned.

    It carries what its fields showed when it was opened, so that an old page brings back nothing
    that somebody else has changed meanwhile.
    """

    refusal: DomainError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def wants(self, name: str) -> bool:
        """Whether to write the field: its sender changed it, as far as what was sent can tell.

        With an old sign-in it is otherwise what was stored before, and may have changed meanwhile.
        """
        sent = self.add_initial_prefix(name) not in self.data or name in self.changed_data
        return sent and (not self.confirmation or self.is_free(name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.refusal:
            show_refusal(self, self.refusal)
        return cleaned


class StaffPages(admin.ModelAdmin[M]):
    """Lists that find by public id and keep no secret; the audit trail as the history."""

    #: The start of the model's public ids, such as ``org``.
    id_prefix = ""
    formfield_overrides = {models.CharField: {"form_class": TextField}}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SearchedList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        expression = not _EXPRESSIONS.isdisjoint(lookup.split("__"))
        return not expression and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        search_term = search_term[:SEARCH_LENGTH]  # the box says so; autocompletion has no box
        found_id = ids.read_id(self.id_prefix, search_term.strip())
        if found_id:
            return queryset.filter(pk=found_id), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list; a whole secret in the search box is cut to its prefix before it is used."""
        term = request.GET.get("q", "")
        if redact(term) != term:
            query = request.GET.copy()
            query["q"] = redact(term).replace(REDACTED, "").strip()
            if holds_secret(term):
                warning = "That was a whole secret. Only its prefix was searched for."
                self.message_user(request, warning, messages.WARNING)
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        return super().changelist_view(request, extra_context)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[M], *rest: Any
    ) -> HttpResponse | None:
        """Runs an action of the list, on ids that can be ids."""
        for selected in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                UUID(selected)
            except ValueError:
                raise BadRequest from None
        return super().response_action(request, queryset, *rest)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The audit trail knows more than Django's log, which misses what other faces do."""
        shown = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, shown):
            raise PermissionDenied
        if shown is None:
            raise Http404
        trail = reverse("admin:organizations_auditevent_changelist")
        return HttpResponseRedirect(f"{trail}?{urlencode({'q': self.subject_of(shown)})}")

    def subject_of(self, shown: M) -> Any:
        """The id whose events are the history of what is shown."""
        return shown.pk


class ServiceAdmin(StaffPages[M]):
    """A model whose writes go through services. Nothing is deleted."""

    form: type[forms.ModelForm[Any]] = ServiceForm

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Shows the form again, with the input kept, when the service refuses to save it."""
        try:
            # Django opens the transaction, at whose commit a withdrawal waits.
            with bulkheads.hold("waiting", None) if request.method == "POST" else nullcontext():
                return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            # Django's view is run again, rather than copied here, to show its form with an error.
            # The refusal makes the form invalid, so that nothing is saved the second time.
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        known = {
            "refusal": getattr(request, "refusal", None),
            "confirmation": StepUp(request).url,
        }
        return type(form.__name__, (form,), known)

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def act_on_each(
        self, request: HttpRequest, rows: Iterable[M], act: Callable[[M], object], done: str
    ) -> None:
        """Acts on each row by itself; says for how many it worked and why not for the others."""
        try:
            with bulkheads.hold("waiting", None), revocation_wait.wait_once():
                succeeded = sum(self._acts(request, row, act) for row in rows)
        except Busy as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return
        if succeeded:
            self.message_user(request, f"{done}: {succeeded}.", messages.SUCCESS)

    def _acts(self, request: HttpRequest, row: M, act: Callable[[M], object]) -> bool:
        try:
            act(row)
        except DomainError as refusal:
            self.message_user(request, f"{row}: {refusal.message}", messages.ERROR)
            return False
        return True


class ReadOnlyAdmin(StaffPages[M]):
    """A model that staff look at and never change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def rendered(response: HttpResponse) -> HttpResponse:
    """The response with its body, for which the admin may ask the database only now."""
    return response.render() if isinstance(response, TemplateResponse) else response


def adopt(form_object: Model, made: Model) -> None:
    """Turns the form's unsaved object into the one that a service has made."""
    form_object.pk = made.pk
    form_object.refresh_from_db()

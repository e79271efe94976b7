"""Base classes of the staff admin: writes go through services, and forms show their errors."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList, ChangeListSearchForm
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db import models
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from core import bulkheads, ids, revocation_wait
from core.actors import Actor
from core.exceptions import Busy, DomainError
from core.forms import TextField, show_refusal
from core.redaction import REDACTED, redact
from core.request_context import request_context_of
from organizations.admin.step_up import RecentForm, Selection, kept_selection
from organizations.signin.step_up import StepUp

M = TypeVar("M", bound=Model)
SEARCH_LENGTH: Final = 200
#: Lookups that run a regular expression of the visitor, which can take forever.
_EXPRESSIONS: Final = frozenset({"regex", "iregex"})


def staff_actor(request: HttpRequest) -> Actor:
    """The signed-in member of staff. Their audit events carry their name and IP address."""
    user: Any = request.user
    return Actor.staff(user.id, str(user), request_context_of(request))


class SearchForm(ChangeListSearchForm):
    """Django's search box with a length limit. Longer input shows an error instead of results."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[SEARCH_VAR] = TextField(
            max_length=SEARCH_LENGTH,
            required=False,
            strip=False,
            error_messages={"max_length": "Search: use %(limit_value)s characters or fewer."},
        )


class SearchedList(ChangeList):
    """A list named after what it shows, such as “API keys”."""

    search_form_class = SearchForm

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_popup:
            self.title = capfirst(str(self.opts.verbose_name_plural))


class KnownSelect(AutocompleteSelect):
    """Django's select with a search. Leaves out malformed IDs, for which Django's fails."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        return super().optgroups(name, [one for one in value if self._is_id(one)], attr)

    def _is_id(self, value: Any) -> bool:
        try:
            self.field.target_field.to_python(value)
        except ValidationError:
            return False
        return True


class ServiceForm(RecentForm):
    """A form that shows a service's refusal on the fields concerned.

    It carries the values that its fields showed when it was opened, so that an old page doesn't
    undo changes made by others meanwhile.
    """

    refusal: DomainError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def wants(self, name: str) -> bool:
        """Whether to write the field: the sender changed it, according to what was submitted.

        With an old sign-in, other fields keep the stored value, which may have changed meanwhile.
        """
        sent = self.add_initial_prefix(name) not in self.data or name in self.changed_data
        return sent and (not self.confirmation or self.is_free(name))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.refusal:
            show_refusal(self, self.refusal)
        return cleaned


class StaffPages(admin.ModelAdmin[M]):
    """Searches by public ID, keeps secrets out of searches, and shows the audit log as history."""

    #: The prefix of the model's public IDs, such as ``org``.
    id_prefix = ""
    #: Django's permissions that the pages of the model ask for.
    permissions_in_use: ClassVar[tuple[str, ...]] = ("view",)
    formfield_overrides = {models.CharField: {"form_class": TextField}}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", KnownSelect(db_field, self.admin_site))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return SearchedList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        expression = not _EXPRESSIONS.isdisjoint(lookup.split("__"))
        return not expression and super().lookup_allowed(lookup, value, request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
        search_term = search_term[:SEARCH_LENGTH]  # autocompletion sets no limit
        found_id = ids.read_id(self.id_prefix, search_term.strip())
        if found_id:
            return queryset.filter(pk=found_id), False
        return super().get_search_results(request, queryset, search_term)

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        """Django's redirect, without repeating the ID, which may be a secret in its encoding."""
        message = f"This {opts.verbose_name} doesn't exist. Perhaps it was removed."
        self.message_user(request, message, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:index", current_app=self.admin_site.name))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Cuts part of a secret in the search box to its prefix before using it."""
        term = request.GET.get("q", "")
        if redact(term) != term:
            query = request.GET.copy()
            query["q"] = redact(term).replace(REDACTED, "").strip()
            return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")
        response = super().changelist_view(request, extra_context)
        kept = kept_selection(request)
        if kept and isinstance(response, TemplateResponse):
            self._select_again(request, kept, response.context_data or {})
        return response

    def _select_again(self, request: HttpRequest, kept: Selection, context: dict[str, Any]) -> None:
        """Checks the rows again that were selected before a confirmation, and their action."""
        rows = [row for row in context["cl"].result_list if str(row.pk) in kept.rows]
        for row in rows:
            row.is_selected = True
        if context["action_form"] and rows:
            context["action_form"].initial["action"] = kept.action
            self.message_user(request, "Your selection was kept. Select Go to continue.")

    def action_checkbox(self, obj: M) -> SafeString:
        """Django's checkbox, checked for a selection that was kept."""
        attributes = {"class": "action-select", "aria-label": f"Select {obj}"}
        box = forms.CheckboxInput(attributes, lambda _: getattr(obj, "is_selected", False))
        return box.render(ACTION_CHECKBOX_NAME, str(obj.pk))

    @admin.display(description="ID")
    def public_id(self, obj: Any) -> str:
        found: str = obj.public_id
        return found

    @admin.display(description="UUID")
    def uuid(self, obj: M) -> str:
        return str(obj.pk)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[M], *rest: Any
    ) -> HttpResponse | None:
        """Runs a list action. Rejects malformed IDs."""
        for selected in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                UUID(selected)
            except ValueError:
                raise BadRequest from None
        return super().response_action(request, queryset, *rest)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        shown = self.get_object(request, unquote(object_id))
        if not self.has_view_or_change_permission(request, shown):
            raise PermissionDenied
        if shown is None:
            raise Http404
        # The audit log has more than Django's, which lacks changes made outside the admin.
        log = reverse("admin:organizations_auditevent_changelist")
        return HttpResponseRedirect(f"{log}?{urlencode({'q': self.subject_of(shown)})}")

    def subject_of(self, shown: M) -> Any:
        """The ID whose audit events are the history of the object."""
        return shown.pk


class ServiceAdmin(StaffPages[M]):
    """A model that is written only through services, and never deleted here."""

    permissions_in_use: ClassVar[tuple[str, ...]] = ("view", "add", "change")
    form: type[forms.ModelForm[Any]] = ServiceForm

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Shows the form again with its input if the service refuses to save it."""
        try:
            # Django opens the transaction. Its commit waits for revocations to take effect.
            with bulkheads.hold("waiting", None) if request.method == "POST" else nullcontext():
                return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            # Run Django's view again, rather than copy it, to show its form with an error. The
            # refusal makes the form invalid, so nothing is saved the second time.
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
        """Acts on each row separately. Reports the number of successes, and why others failed."""
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
    """A model that staff can view but not change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def rendered(response: HttpResponse) -> HttpResponse:
    """The rendered response. Rendering may query the database."""
    return response.render() if isinstance(response, TemplateResponse) else response


def adopt(form_object: Model, made: Model) -> None:
    """Turns the form's unsaved object into the one that a service created."""
    form_object.pk = made.pk
    form_object.refresh_from_db()

"""What the staff's pages share: they write through services and show refusals on the form."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from organizations import ids, withdrawal
from organizations.actors import Actor
from organizations.exceptions import DomainError
from organizations.forms import show_refusal
from organizations.origin import origin_of
from organizations.recency import is_recent
from organizations.redaction import holds_secret, redact

M = TypeVar("M", bound=Model)


def staff_actor(request: HttpRequest) -> Actor:
    """The member of staff who asks; their events carry their name and address."""
    user: Any = request.user
    return Actor.staff(user.id, str(user), origin_of(request))


def confirmation_first(request: HttpRequest) -> HttpResponse | None:
    """Where to confirm an old sign-in before anything sensitive; None where it is recent."""
    if is_recent(request):
        return None
    messages.warning(request, "Confirm that it is you, then do it again.")
    return HttpResponseRedirect(confirmation_address(request))


def confirmation_address(request: HttpRequest) -> str:
    """The page that asks for the password or the second factor and leads back here."""
    query = urlencode({"next": request.get_full_path()})
    return f"{reverse('account_reauthenticate')}?{query}"


def confirmed(action: Callable[..., Any]) -> Callable[..., Any]:
    """An action of the list that wants a recent sign-in, as its like on the settings pages."""

    @wraps(action)
    def wrapper(page: Any, request: HttpRequest, queryset: Any) -> Any:
        return confirmation_first(request) or action(page, request, queryset)

    return wrapper


class ServiceForm(forms.ModelForm[Any]):
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
        """Whether the form's sender changed the field, as far as what was sent can tell."""
        return self.add_initial_prefix(name) not in self.data or name in self.changed_data

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.refusal:
            show_refusal(self, self.refusal)
        return cleaned


class StaffPages(admin.ModelAdmin[M]):
    """Lists that find by public id and keep no secret; the audit trail as the history."""

    #: The start of the model's public ids, such as ``org``.
    id_prefix = ""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[M], search_term: str
    ) -> tuple[QuerySet[M], bool]:
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
            query["q"] = redact(term).replace("[redacted]", "").strip()
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
            return super().changeform_view(request, *args, **kwargs)
        except DomainError as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        return type(form.__name__, (form,), {"refusal": getattr(request, "refusal", None)})

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def act_on_each(
        self, request: HttpRequest, rows: Iterable[M], act: Callable[[M], object], done: str
    ) -> None:
        """Acts on each row by itself; says for how many it worked and why not for the others."""
        succeeded = 0
        with withdrawal.together():
            for row in rows:
                try:
                    act(row)
                    succeeded += 1
                except DomainError as refusal:
                    self.message_user(request, f"{row}: {refusal.message}", messages.ERROR)
        if succeeded:
            self.message_user(request, f"{done}: {succeeded}.", messages.SUCCESS)


class ReadOnlyAdmin(StaffPages[M]):
    """A model that staff look at and never change."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def adopt(form_object: Model, made: Model) -> None:
    """Turns the form's unsaved object into the one that a service has made."""
    form_object.__dict__.update(made.__dict__)

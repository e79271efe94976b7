"""Base views for objects of one kind: find by public ID, create and edit with a form."""

from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from apikeys.pages.base import DeveloperPage
from core import ids
from core.exceptions import Conflict, Invalid, NotFound
from core.forms import VersionedForm, show_edit_refusal, show_refusal
from organizations.pages.base import as_refused

M = TypeVar("M", bound=Model)


class ObjectPage(DeveloperPage, Generic[M]):
    """A page about objects of one kind that belong to the organization.

    `id_prefix` is the prefix of their public IDs; `url_kwarg` is the URL parameter with the ID.
    """

    verbose_name: ClassVar[str]
    id_prefix: ClassVar[str]
    url_kwarg: ClassVar[str]
    form_class: ClassVar[type[VersionedForm]]
    #: The name of the list in breadcrumbs.
    list_label: ClassVar[str] = ""

    def get_queryset(self) -> QuerySet[M]:
        """The organization's objects that the user may see."""
        raise NotImplementedError

    def get_success_url(self, obj: M | None) -> str:
        """The URL to go to after a change of `obj`. The list's URL if `obj` is None."""
        raise NotImplementedError

    def get_object(self) -> M:
        """The object in the URL. Raises NotFound for another organization's."""
        pk = ids.read_id(self.id_prefix, self.kwargs[self.url_kwarg])
        obj = self.get_queryset().filter(pk=pk).first() if pk else None
        if obj is None:
            raise NotFound
        return obj

    def render(
        self, template: str, context: dict[str, Any] | None = None, status: int = 200
    ) -> HttpResponse:
        list_page = {"list_label": self.list_label, "list_url": self.get_success_url(None)}
        return super().render(template, {**list_page, **(context or {})}, status)

    def show_form(
        self, form: VersionedForm, obj: M | None = None, status: int = 200, theirs: Any = None
    ) -> HttpResponse:
        """The form of a new object or of `obj`. `theirs` is the version that someone else saved."""
        context = {
            "form": form,
            "title": f"Edit “{obj}”" if obj else f"Create {self.verbose_name}",
            "submit": "Save changes" if obj else f"Create {self.verbose_name}",
            "theirs": theirs,
            "to": self.get_success_url(obj),
        }
        if obj:
            crumb = {"object_name": str(obj), "object_url": context["to"], "action_label": "Edit"}
            context |= crumb
        return self.render("apikeys/form.html", context, status=status)


class CreateView(ObjectPage[M]):
    def perform_create(self, values: dict[str, Any]) -> M:
        """Creates the object with a service."""
        raise NotImplementedError

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show_form(self.form_class())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self.show_form(form, status=422)
        try:
            obj = self.perform_create(form.service_arguments())
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
            return as_refused(self.show_form(form, status=422), refusal)
        message = f"{self.verbose_name.capitalize()} {obj} created."
        return self.done(message, self.get_success_url(obj))


class EditView(ObjectPage[M]):
    """Edits an object, unless someone else has changed it in the meantime."""

    def get_form(self, obj: M, data: Any = None) -> VersionedForm:
        """The form filled from `obj`, bound to `data` if given."""
        return self.form_class.of(obj, data)

    def confirmation(self, obj: M, form: VersionedForm) -> HttpResponse | None:
        """The page that asks for the password, if the change requires it."""
        return None

    def perform_update(self, obj: M, form: VersionedForm) -> object:
        """Updates the object with a service."""
        raise NotImplementedError

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        obj = self.get_object()
        return self.show_form(self.get_form(obj), obj)

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        obj = self.get_object()
        form = self.get_form(obj, request.POST)
        if not form.is_valid():
            return self.show_form(form, obj, status=422)
        confirmation = self.confirmation(obj, form)
        if confirmation:
            return confirmation
        try:
            self.perform_update(obj, form)
        except (Conflict, Invalid) as refusal:
            theirs = show_edit_refusal(form, refusal, self.get_object())
            shown = self.show_form(form, obj, status=422, theirs=theirs)
            return as_refused(shown, refusal)
        return self.done("Changes saved.", self.get_success_url(obj))

"""Pages about things of one kind: found by public id, made and changed by a form."""

from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from apikeys.pages.base import DeveloperPage
from core import ids
from core.exceptions import Conflict, Invalid, NotFound
from core.forms import SeenForm, look_again, show_refusal

M = TypeVar("M", bound=Model)


class ObjectPage(DeveloperPage, Generic[M]):
    """A page about things of one kind that belong to the organization.

    `id_prefix` begins their public ids; `url_kwarg` is the part of the address that holds one.
    """

    noun: ClassVar[str]
    id_prefix: ClassVar[str]
    url_kwarg: ClassVar[str]
    form: ClassVar[type[SeenForm]]

    @property
    def things(self) -> QuerySet[M]:
        """All that the visitor may see here."""
        raise NotImplementedError

    def home_of(self, thing: M | None) -> str:
        """The address to go to after a change of `thing`, or where there is none."""
        raise NotImplementedError

    def find(self) -> M:
        """The thing of the address; NotFound for another organization's."""
        pk = ids.read_id(self.id_prefix, self.kwargs[self.url_kwarg])
        thing = self.things.filter(pk=pk).first() if pk else None
        if thing is None:
            raise NotFound
        return thing

    def show_form(
        self, form: SeenForm, thing: M | None = None, status: int = 200, theirs: Any = None
    ) -> HttpResponse:
        """The form of a new thing or of `thing`; `theirs` is what somebody else made of it."""
        context = {
            "form": form,
            "title": f"Edit “{thing}”" if thing else f"Create {self.noun}",
            "submit": "Save changes" if thing else "Create",
            "theirs": theirs,
            "to": self.home_of(thing),
        }
        return self.render("apikeys/form.html", context, status=status)


class CreateView(ObjectPage[M]):
    """A new one."""

    def make(self, values: dict[str, Any]) -> M:
        """Calls the service."""
        raise NotImplementedError

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return self.show_form(self.form())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Makes it."""
        form = self.form(request.POST)
        if not form.is_valid():
            return self.show_form(form, status=422)
        try:
            made = self.make(form.wanted())
        except (Conflict, Invalid) as refusal:
            show_refusal(form, refusal)
            return self.show_form(form, status=422)
        return self.done(f"{self.noun.capitalize()} {made} created.", self.home_of(made))


class EditView(ObjectPage[M]):
    """What can be changed about one, unless somebody else has changed it meanwhile."""

    def confirmation(self, thing: M, form: SeenForm) -> HttpResponse | None:
        """The page that asks who it is, where the change needs that."""
        return None

    def save(self, thing: M, form: SeenForm) -> object:
        """Calls the service."""
        raise NotImplementedError

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """The form, filled."""
        thing = self.find()
        return self.show_form(self.form.of(thing), thing)

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Saves."""
        thing = self.find()
        form = self.form.of(thing, request.POST)
        if not form.is_valid():
            return self.show_form(form, thing, status=422)
        confirmation = self.confirmation(thing, form)
        if confirmation:
            return confirmation
        try:
            self.save(thing, form)
        except (Conflict, Invalid) as refusal:
            theirs = look_again(form, refusal, self.find())
            return self.show_form(form, thing, status=422, theirs=theirs)
        return self.done("Changes saved.", self.home_of(thing))

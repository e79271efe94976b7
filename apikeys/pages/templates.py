"""Templates: presets for keys."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from apikeys import services
from apikeys.models import KeyTemplate, KeyTemplateQuerySet
from apikeys.pages.crud import CreateView, EditView, ObjectPage
from apikeys.pages.forms import TemplateForm
from core.forms import VersionedForm
from organizations.roles import Action


class TemplatePage(ObjectPage[KeyTemplate]):
    """A page about templates, which members may look at and admins change."""

    action = Action.MANAGE_TEMPLATES
    tab = "templates"
    verbose_name = "template"
    id_prefix = "tpl"
    url_kwarg = "template_id"
    form_class = TemplateForm

    def get_queryset(self) -> KeyTemplateQuerySet:
        """All of the organization."""
        return KeyTemplate.objects.visible_to(self.actor).for_organization(self.organization.id)

    def get_success_url(self, obj: KeyTemplate | None) -> str:
        """The list, whichever template it is."""
        return self.page_url("templates")


class Templates(TemplatePage):
    """The list."""

    action = Action.VIEW_TEMPLATES

    def get(self, request: HttpRequest) -> HttpResponse:
        """By name."""
        context = {"templates": list(self.get_queryset().order_by("name_key"))}
        return self.render("apikeys/templates.html", context)


class CreateTemplate(CreateView[KeyTemplate], TemplatePage):
    """A new one."""

    def perform_create(self, values: dict[str, Any]) -> KeyTemplate:
        """Calls the service."""
        return services.create_template(organization=self.organization, actor=self.actor, **values)


class EditTemplate(EditView[KeyTemplate], TemplatePage):
    """Changes one; keys made from it stay as they are."""

    def perform_update(self, obj: KeyTemplate, form: VersionedForm) -> object:
        """Calls the service."""
        return services.update_template(
            obj, actor=self.actor, changes=form.wanted(), seen_at=form.seen_at
        )


class DeleteTemplate(TemplatePage):
    """Takes one away."""

    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Asks first."""
        return self.render("apikeys/template_delete.html", {"template": self.get_object()})

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Does it."""
        template = self.get_object()
        services.delete_template(template, actor=self.actor)
        return self.done(f"Template {template} deleted.", self.get_success_url(template))

"""Pages about templates, which are presets for keys."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from apikeys import conf, services
from apikeys.models import KeyTemplate, KeyTemplateQuerySet
from apikeys.pages.crud import CreateView, EditView, ObjectPage
from apikeys.pages.forms import TemplateForm
from core.forms import VersionedForm
from organizations.roles import Action


class TemplatePage(ObjectPage[KeyTemplate]):
    """Base of the pages about templates. Members may view templates, admins change them."""

    action = Action.MANAGE_TEMPLATES
    tab = "templates"
    verbose_name = "template"
    list_label = "Templates"
    id_prefix = "tpl"
    url_kwarg = "template_id"
    form_class = TemplateForm

    def get_queryset(self) -> KeyTemplateQuerySet:
        return KeyTemplate.objects.visible_to(self.actor).for_organization(self.organization.id)

    def get_success_url(self, obj: KeyTemplate | None) -> str:
        return self.page_url("templates")


class Templates(TemplatePage):
    action = Action.VIEW_TEMPLATES

    def get(self, request: HttpRequest) -> HttpResponse:
        templates = list(self.get_queryset().order_by("name_key"))
        context = {"templates": templates, "scope_count": len(conf.scopes())}
        return self.render("apikeys/templates.html", context)


class CreateTemplate(CreateView[KeyTemplate], TemplatePage):
    def perform_create(self, values: dict[str, Any]) -> KeyTemplate:
        return services.create_template(organization=self.organization, actor=self.actor, **values)


class EditTemplate(EditView[KeyTemplate], TemplatePage):
    """Keys created from the template don't change."""

    def perform_update(self, obj: KeyTemplate, form: VersionedForm) -> object:
        return services.update_template(
            obj, actor=self.actor, changes=form.service_arguments(), seen_at=form.seen_at
        )


class DeleteTemplate(TemplatePage):
    def get(self, request: HttpRequest, **_: str) -> HttpResponse:
        """Asks for confirmation."""
        return self.render("apikeys/template_delete.html", {"template": self.get_object()})

    def post(self, request: HttpRequest, **_: str) -> HttpResponse:
        template = self.get_object()
        services.delete_template(template, actor=self.actor)
        return self.done(f"Template {template} deleted.", self.get_success_url(template))

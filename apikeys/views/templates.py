"""Templates: presets for keys."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from apikeys import services
from apikeys.forms import ScopesField
from apikeys.models import KeyTemplate
from apikeys.querysets import KeyTemplateQuerySet
from apikeys.views.base import DeveloperPage
from organizations import ids
from organizations.exceptions import Conflict, ErrorCode, Invalid, NotFound, is_stale
from organizations.forms import SeenForm, show_refusal
from organizations.roles import Action


class TemplateForm(SeenForm):
    """A preset; shapes only, the service has the last word."""

    name = forms.CharField(
        max_length=1000, error_messages={"required": "Enter a name for the template."}
    )
    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2}))
    scopes = ScopesField(
        label="Permissions", error_messages={"required": "Choose at least one permission."}
    )
    lifetime_days = forms.IntegerField(
        required=False,
        label="Lifetime in days",
        help_text="From 1 to 3650. Leave empty for keys that do not expire.",
    )

    def wanted(self) -> dict[str, Any]:
        """The fields of the services."""
        return {name: self.cleaned_data[name] for name in self.cleaned_data if name != "seen"}


class TemplatePage(DeveloperPage):
    """A page about templates, which members may look at and admins change."""

    action = Action.MANAGE_TEMPLATES
    tab = "templates"

    @property
    def templates(self) -> KeyTemplateQuerySet:
        """All of the organization."""
        found = KeyTemplate.objects.visible_to(self.actor)
        return found.for_organization(self.organization.id)

    def find(self, text: str) -> KeyTemplate:
        """The template with a public id."""
        template_id = ids.read_id("tpl", text)
        found = self.templates.filter(pk=template_id).first() if template_id else None
        if found is None:
            raise NotFound
        return found

    def show(self, form: TemplateForm, status: int = 200, **more: Any) -> HttpResponse:
        """The form, new or of a template."""
        context = {"form": form, "cancel": self.address("templates"), **more}
        return self.render("apikeys/template_form.html", context, status=status)

    def refused(self, form: TemplateForm, refusal: Conflict | Invalid, **more: Any) -> HttpResponse:
        """The form with what the service has said."""
        if more.get("theirs"):
            form.look_again(more["theirs"].updated_at)
        if refusal.code == ErrorCode.NAME_TAKEN:
            form.add_error("name", refusal.message)
        else:
            show_refusal(form, refusal)
        return self.show(form, status=422, **more)


class Templates(TemplatePage):
    """The list."""

    action = Action.VIEW_TEMPLATES

    def get(self, request: HttpRequest) -> HttpResponse:
        """By name."""
        context = {"templates": self.templates.order_by("name_key")}
        return self.render("apikeys/templates.html", context)


class CreateTemplate(TemplatePage):
    """A new one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return self.show(TemplateForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Makes it."""
        form = TemplateForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422)
        try:
            made = services.create_template(
                organization=self.organization, actor=self.actor, **form.wanted()
            )
        except (Conflict, Invalid) as refusal:
            return self.refused(form, refusal)
        return self.done(f"Template {made.name} created.", self.address("templates"))


class EditTemplate(TemplatePage):
    """Changes one; keys made from it stay as they are."""

    def get(self, request: HttpRequest, template_id: str) -> HttpResponse:
        """The form, filled."""
        template = self.find(template_id)
        values = {
            name: getattr(template, name) for name in TemplateForm.base_fields if name != "seen"
        }
        form = TemplateForm(initial={**values, "seen": template.updated_at.isoformat()})
        return self.show(form, template=template)

    def post(self, request: HttpRequest, template_id: str) -> HttpResponse:
        """Saves, unless somebody else has changed it meanwhile."""
        template, form = self.find(template_id), TemplateForm(request.POST)
        if not form.is_valid():
            return self.show(form, status=422, template=template)
        try:
            services.update_template(
                template, actor=self.actor, changes=form.wanted(), seen_at=form.seen_at
            )
        except (Conflict, Invalid) as refusal:
            theirs = self.find(template_id) if is_stale(refusal) else None
            return self.refused(form, refusal, template=template, theirs=theirs)
        return self.done("Changes saved.", self.address("templates"))


class DeleteTemplate(TemplatePage):
    """Takes one away."""

    def get(self, request: HttpRequest, template_id: str) -> HttpResponse:
        """Asks first."""
        return self.render("apikeys/template_delete.html", {"template": self.find(template_id)})

    def post(self, request: HttpRequest, template_id: str) -> HttpResponse:
        """Does it."""
        template = self.find(template_id)
        services.delete_template(template, actor=self.actor)
        return self.done(f"Template {template.name} deleted.", self.address("templates"))

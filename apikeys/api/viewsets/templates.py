"""REST viewset for templates."""

from rest_framework.request import Request
from rest_framework.response import Response

from apikeys import services
from apikeys.api import serializers
from apikeys.api.viewsets.base import DEFAULT_PAGE, LONGEST_PAGE, WireViewSet
from apikeys.models import KeyTemplate
from core import ids
from core.exceptions import NotFound
from organizations.roles import Action


class TemplateViewSet(WireViewSet):
    """Templates of an account, which is what this format calls an organization."""

    shape = serializers.TemplateSerializer
    body = serializers.TemplateBody

    def list(self, request: Request, **_: str) -> Response:
        """A page of templates, oldest first."""
        self.organization(Action.VIEW_TEMPLATES)
        self.refuse_other_parameters("pageIndex", "pageSize")
        index = self.number("pageIndex", 0, 0, 10**6)
        size = self.number("pageSize", DEFAULT_PAGE, 1, LONGEST_PAGE)
        templates = KeyTemplate.objects.visible_to(self.actor)
        items = list(templates[index * size : (index + 1) * size])
        return self.respond(
            {
                "items": self.show(items),
                "pageIndex": index,
                "pageSize": size,
                "totalCount": templates.count(),
            }
        )

    def create(self, request: Request, **_: str) -> Response:
        organization = self.organization(Action.MANAGE_TEMPLATES)
        values = self.read("create")
        template = services.create_template(organization=organization, actor=self.actor, **values)
        location = f"{request.path}/{template.public_id}"
        data = self.show(template)
        return self.respond(data, status=201, headers={"Location": location})

    def retrieve(self, request: Request, id: str, **_: str) -> Response:
        template = self._template(id, Action.VIEW_TEMPLATES)
        return self.respond(self.show(template))

    def partial_update(self, request: Request, id: str, **_: str) -> Response:
        template = self._template(id)
        changes = self.read("update")
        template = services.update_template(template, actor=self.actor, changes=changes)
        return self.respond(self.show(template))

    def destroy(self, request: Request, id: str, **_: str) -> Response:
        services.delete_template(self._template(id), actor=self.actor)
        return Response(status=204)

    def _template(self, text: str, action: Action = Action.MANAGE_TEMPLATES) -> KeyTemplate:
        self.organization(action)
        templates = KeyTemplate.objects.visible_to(self.actor).select_related("organization")
        template = self.find(templates, ids.read_id("tpl", text))
        if template is None:
            raise NotFound("No such template.")
        return template

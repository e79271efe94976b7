"""One viewset per resource, shared by all formats: parses, calls a service, serializes."""

from apikeys.api.viewsets.keys import ApiKeyViewSet
from apikeys.api.viewsets.templates import TemplateViewSet

__all__ = ["ApiKeyViewSet", "TemplateViewSet"]

"""One viewset per noun, the same for every format: scoping, shape in, service, shape out."""

from apikeys.api.viewsets.keys import ApiKeyViewSet
from apikeys.api.viewsets.templates import TemplateViewSet

__all__ = ["ApiKeyViewSet", "TemplateViewSet"]

"""OpenAPI 3.1, made from the formats and the routes themselves, so that it cannot fall behind."""

from apikeys.api.openapi.document import document

__all__ = ["document"]

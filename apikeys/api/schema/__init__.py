"""OpenAPI 3.1, made from the formats and the routes themselves, so that it cannot fall behind."""

from apikeys.api.schema.build import document

__all__ = ["document"]

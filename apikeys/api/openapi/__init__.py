"""Builds the OpenAPI 3.1 document of each wire format from its routes and its data (ADR 0010)."""

from apikeys.api.openapi.document import document

__all__ = ["document"]

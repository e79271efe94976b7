"""Models of API keys, templates, idempotency and usage."""

from apikeys.models.idempotency import Submission
from apikeys.models.keys import (
    ApiKey,
    ApiKeyQuerySet,
    ApiKeySecret,
    ApiKeySecretQuerySet,
    PepperUse,
)
from apikeys.models.status import Status
from apikeys.models.templates import KeyTemplate, KeyTemplateQuerySet
from apikeys.models.usage import KeyUsage, KeyUsageQuerySet, ScopeUse

__all__ = [
    "ApiKey",
    "ApiKeyQuerySet",
    "ApiKeySecret",
    "ApiKeySecretQuerySet",
    "KeyTemplate",
    "KeyTemplateQuerySet",
    "KeyUsage",
    "KeyUsageQuerySet",
    "PepperUse",
    "ScopeUse",
    "Status",
    "Submission",
]

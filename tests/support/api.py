"""Helpers for tests of the API."""

import re
from collections.abc import Callable
from typing import Any, Final

from django.apps import apps

from apikeys.models import KeyUsage, ScopeUse
from apikeys.services import Issued
from core import ids
from organizations.models import Organization
from tests.support.client import Answer

MakeKey = Callable[..., Issued]
Refuses = Callable[..., Answer]
KEYS: Final = "/v1/api-keys"
CURRENT: Final = "/v1/api-keys/current"
UTC_Z: Final = re.compile(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ")
REQUEST_ID: Final = re.compile(r"req_[0-9A-Za-z]{22}")


def one(issued: Issued) -> str:
    """The address of a key."""
    return f"{KEYS}/{issued.key.public_id}"


def templates(organization: Organization) -> str:
    """The address of an account's templates."""
    return f"/v1/accounts/{organization.public_id}/templates"


def never(prefix: str) -> str:
    """A possible id that nothing has ever had."""
    return ids.public_id(prefix, ids.new_id())


def stored() -> dict[str, list[str]]:
    """Every row of every table, to be compared before and after."""
    return {
        model._meta.label: sorted(
            repr([bytes(v) if isinstance(v, memoryview) else v for v in row])
            for row in model._base_manager.values_list()
        )
        for model in apps.get_models()
        if model not in (KeyUsage, ScopeUse)  # refusals are counted, too
    }


def without_request_id(answer: Answer) -> tuple[int, dict[str, str], Any]:
    """Everything of an answer but what differs from request to request."""
    changing = ("X-Request-Id", "RateLimit")
    headers = {name: value for name, value in answer.headers.items() if name not in changing}
    body = dict(answer.body)
    for name in ("request_id", "requestId"):
        body.pop(name, None)
    return answer.status, headers, body

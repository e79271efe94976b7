"""API client for tests: one line per request, with the key next to it."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from apikeys.services import Issued
from apikeys.usage.recorder import recorder
from tests.support.dialects import Refusal, refusal_of


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and decoded body of an answer."""

    status: int
    headers: dict[str, str]
    body: Any
    raw: bytes
    path: str = ""

    @property
    def error(self) -> dict[str, Any]:
        """The error object of the canonical format."""
        error: dict[str, Any] = self.body["error"]
        return error

    @property
    def refusal(self) -> Refusal:
        """The error of whichever format."""
        return refusal_of(self.path, self.body)

    @property
    def fields(self) -> list[str]:
        """The fields that an error names."""
        return [detail["field"] for detail in self.error["details"]]


class ApiClient:
    """Calls the API in process, through every middleware."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)
        self.writes_usage = True

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: Issued | str | None = None,
        query: dict[str, Any] | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """`body` is sent as JSON unless it is bytes already; `key` becomes the bearer token."""
        headers = dict(headers or {})
        if key is not None:
            secret = key.secret if isinstance(key, Issued) else key
            headers["Authorization"] = f"Bearer {secret}"
        if query:
            path = f"{path}?{urlencode(query)}"
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        response = self.client.generic(method, path, data, content_type, headers=headers)
        if self.writes_usage:
            recorder.flush()  # as the thread does that tests do not have
        raw = response.content
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        body = json.loads(raw) if is_json and raw else None
        return Answer(response.status_code, dict(response.headers), body, raw, path)

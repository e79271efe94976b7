"""Clients that create, rotate and revoke keys until the server dies, and record every result."""

import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from tests.reliability.faults.load import LOST

_numbers = count()


@dataclass
class Remembered:
    """A key as its owner knows it: the secrets that came in answers, and what has no answer yet."""

    name: str
    id: str = ""
    secrets: list[str] = field(default_factory=list)
    revoked: bool = False
    pending: str = ""


class Owner(threading.Thread):
    """Does one thing after the other to keys of its own; ends with the server."""

    def __init__(self, address: str, secret: str, seed: int) -> None:
        super().__init__()
        parts = urlsplit(address)
        self._wire = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=60)
        self._secret = secret
        self._random = random.Random(seed)
        self.keys: list[Remembered] = []
        self.acknowledged = 0
        self.surprises: list[tuple[int, Any]] = []

    def run(self) -> None:
        for key, act in self._deeds():
            key.pending = act.__name__.strip("_")
            status, body = act(key)
            if status == LOST:
                break
            key.pending = ""
            self.acknowledged += 1
            if status not in (200, 201):
                self.surprises.append((status, body))
        self._wire.close()

    def _deeds(self) -> Iterator[tuple[Remembered, Any]]:
        while True:
            live = [key for key in self.keys if not key.revoked and len(key.secrets) < 2]
            act = self._random.choice([self._create, self._create, self._rotate, self._revoke])
            if act == self._create or not live:
                self.keys.append(Remembered(f"Crash {next(_numbers)}"))
                yield self.keys[-1], self._create
            else:
                yield self._random.choice(live), act

    def _create(self, key: Remembered) -> tuple[int, Any]:
        body = {"name": key.name, "scopes": ["search:read"]}
        status, answer = self._ask("POST", "/v1/api-keys", body)
        if status == 201:
            key.id = answer["id"]
            key.secrets.append(answer["key"])
        return status, answer

    def _rotate(self, key: Remembered) -> tuple[int, Any]:
        status, answer = self._ask("POST", f"/v1/api-keys/{key.id}/rotate", {})
        if status == 200:
            key.secrets.append(answer["key"])
        return status, answer

    def _revoke(self, key: Remembered) -> tuple[int, Any]:
        status, answer = self._ask("DELETE", f"/v1/api-keys/{key.id}", None)
        key.revoked = status == 200
        return status, answer

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Again for as long as too many revocations are in progress."""
        while True:
            status, answer = self._ask_once(method, path, body)
            if status != HTTPStatus.TOO_MANY_REQUESTS:
                return status, answer
            time.sleep(0.02)

    def _ask_once(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json"}
        try:
            sent = None if body is None else json.dumps(body)
            self._wire.request(method, path, sent, headers)
            answer = self._wire.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return LOST, None

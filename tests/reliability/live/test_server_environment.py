"""Environment variables of the server's process are not part of any request."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from apikeys.services import Issued
from tests.reliability.live.conftest import WSGI, Server, running

SCOPE = "search:read"


@pytest.fixture
def server(committed: None, manager: Issued, tmp_path: Path) -> Iterator[Server]:
    """A server whose environment, and settings file, look like a request with a genuine key."""
    file = tmp_path / "settings.env"
    file.write_text("HTTP_X_FORWARDED_PROTO=https\n")
    variables = {
        "ENV_FILE": str(file),
        "HTTP_AUTHORIZATION": f"Bearer {manager.secret}",
        "HTTP_IDEMPOTENCY_KEY": "the-same-for-all",
        "HTTP_COOKIE": "sessionid=x",
        "CONTENT_TYPE": "application/json",
    }
    with running(tmp_path / "server.log", None, WSGI, **variables) as server:
        yield server


def test_a_request_without_a_key_is_not_authenticated(server: Server) -> None:
    response = httpx.get(f"{server.address}/v1/api-keys/current", trust_env=False)

    assert response.status_code == HTTPStatus.UNAUTHORIZED


def test_a_request_has_its_own_headers_only(server: Server, manager: Issued) -> None:
    made = [
        server.call("POST", "/v1/api-keys", key=manager, body={"name": name, "scopes": [SCOPE]})
        for name in ("First", "Second")
    ]

    assert [response.status_code for response in made] == [HTTPStatus.CREATED] * 2
    assert [response.json()["name"] for response in made] == ["First", "Second"]


def test_a_body_without_a_media_type_gets_none(server: Server, manager: Issued) -> None:
    response = httpx.post(
        f"{server.address}/v1/api-keys",
        headers={"Authorization": f"Bearer {manager.secret}"},
        content=json.dumps({"name": "Untyped", "scopes": [SCOPE]}).encode(),
        trust_env=False,
    )

    assert response.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE

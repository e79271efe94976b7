"""Liveness and readiness checks."""

import json
from pathlib import Path

import pytest
from django.test import Client

from tests.support.client import ApiClient
from tests.support.processes import GOOD_SECRETS, manage

ASK = """
from django.test import Client
from apikeys import tokens
secret = tokens.generate("sig", tokens.Environment.LIVE)
headers = {"Authorization": f"Bearer {secret}"}
for path in ("/livez", "/readyz", "/v1/api-keys/current"):
    answer = Client(headers=headers).get(path)
    print(answer.status_code, answer.headers.get("Retry-After"), answer.content.decode())
"""


def test_a_process_that_answers_is_alive_without_a_query(call: ApiClient) -> None:
    answer = call("GET", "/livez")

    assert (answer.status, answer.body) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_readiness_names_what_it_has_asked(call: ApiClient) -> None:
    answer = call("GET", "/readyz")

    assert answer.status == 200
    checks = {"database": "ok", "limiter": "ok", "static_files": "ok"}
    assert answer.body == {"status": "ok", "checks": checks}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_may_call_by_address_and_with_head(path: str, client: Client) -> None:
    assert client.get(path, headers={"Host": "10.1.2.3:8000"}).status_code == 200
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405


def test_without_its_database_it_lives_but_is_not_ready(tmp_path: Path) -> None:
    run = manage(
        *("shell", "--verbosity=0", "-c", ASK),
        **{**GOOD_SECRETS, "ALLOWED_HOSTS": "testserver", "VAR_DIR": str(tmp_path)},
        DATABASE_URL="postgres://nobody:nothing@127.0.0.1:1/nowhere",
    )
    assert run.returncode == 0, run.stderr

    (live, ready, api) = [line.split(" ", 2) for line in run.stdout.splitlines()]
    assert live[0] == "200"
    assert (ready[0], json.loads(ready[2])["checks"]["database"]) == ("503", "away")
    assert api[:2] == ["503", "5"]
    assert json.loads(api[2])["error"]["code"] == "unavailable"

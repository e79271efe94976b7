"""Any input, valid by the schemas or not, gets a documented response and never a 5xx.

Runs all phases of schemathesis against a real server on the test database.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from apikeys.api.urls import SCHEMAS, schema_at
from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization
from organizations.services import set_rate_limit_tier
from tests.factories import SYSTEM, ServiceAccountFactory, TemplateFactory
from tests.reliability.live.conftest import Server, server
from tests.support.api import MakeKey

__all__ = ["server"]

#: For each operation; “make fuzz” asks for more.
EXAMPLES: Final = os.environ.get("CONTRACT_EXAMPLES", "25")
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
pytest.importorskip("schemathesis", reason="“make test-contract” installs it")
Run = subprocess.CompletedProcess[str]


def _run(folder: Path, key: Issued, *arguments: str) -> Run:
    """schemathesis, with the key; its state stays in the folder."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", *arguments),
        *("--header", f"Authorization: Bearer {key.secret}", "--checks", ",".join(CHECKS)),
        *("--no-color", "--request-timeout", "30", "--workers", "1"),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.contract.hooks",
        "CONTRACT_OWN_KEY": f"{key.key.public_id},{key.key.pk}",
        "CONTRACT_SPARE_KEYS": ",".join(k.public_id for k in _spare_keys(key)),
        "CONTRACT_OWN_ORGANIZATION": key.key.organization.public_id,
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def _spare_keys(key: Issued) -> list[ApiKey]:
    return list(ApiKey.objects.filter(organization=key.key.organization).exclude(pk=key.key.pk))


def _told(run: Run, key: Issued) -> str:
    return (run.stdout[-6000:] + run.stderr).replace(key.secret, "[key]")


@pytest.mark.parametrize("address", list(SCHEMAS))
def test_every_answer_is_documented(
    server: Server,
    manager: Issued,
    acme: Organization,
    make_key: MakeKey,
    tmp_path: Path,
    address: str,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_rate_limit_tier(acme, tier="maximum", actor=SYSTEM)
    ServiceAccountFactory.create(organization=acme)
    TemplateFactory.create_batch(3, organization=acme)
    for _ in range(3):
        make_key()
    before = ApiKey.objects.count()

    run = _run(
        tmp_path,
        manager,
        *(f"{server.address}/{address}.json", "--max-examples", EXAMPLES),
        *("--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure"),
    )

    assert run.returncode == 0, _told(run, manager)
    found = re.search(r"(\d+) generated", run.stdout)
    assert found, _told(run, manager)
    with capsys.disabled():
        pytestconfig.get_terminal_writer().line(f" {address}: {found[1]} cases")
    assert server.call("GET", "/v1/api-keys/current", key=manager).status_code == 200
    if address != "v1/accounts/openapi":
        assert ApiKey.objects.count() > before, "no case has made a key"


def test_an_answer_that_is_not_documented_is_noticed(
    server: Server, manager: Issued, tmp_path: Path
) -> None:
    schema = schema_at("v1/openapi")
    del schema["paths"]["/v1/api-keys"]["post"]["responses"]["400"]
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(schema))

    run = _run(tmp_path, manager, str(file), "--url", server.address, "--phases", "coverage")

    assert run.returncode == 1
    assert "undocumented" in run.stdout.lower()

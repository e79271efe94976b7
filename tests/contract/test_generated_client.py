"""A client generated from the canonical schema works without changes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from apikeys.api.urls import schema_at
from apikeys.models import ApiKey, Status
from apikeys.services import Issued
from tests.reliability.live.conftest import Server, server

__all__ = ["server"]
pytest.importorskip("openapi_python_client", reason="“make test-contract” installs it")

#: What somebody who has the client writes; the key and the address come as arguments.
PROGRAM = """
import sys
from generated import AuthenticatedClient
from generated.api.keys import create_key, current_key, list_keys, revoke_key, rotate_key
from generated.models import CreateBody, RotateBody
from generated.models.create_body_scopes_item import CreateBodyScopesItem

address, key = sys.argv[1:]
client = AuthenticatedClient(base_url=address, token=key)
made = create_key.sync(
    client=client, body=CreateBody(name="Generated", scopes=[CreateBodyScopesItem.SEARCHREAD])
)
names = [item.name for item in list_keys.sync(client=client).data]
rotated = rotate_key.sync(made.id, client=client, body=RotateBody(grace_period=0))
own = AuthenticatedClient(base_url=address, token=rotated.key)
current = current_key.sync(client=own)
revoked = revoke_key.sync(made.id, client=client)
refused = current_key.sync_detailed(client=own)
print(made.name, names[0], rotated.key != made.key, current.id == made.id)
print(revoked.status.value, refused.status_code.value)
"""


def _generate(folder: Path) -> None:
    schema, config = folder / "schema.json", folder / "config.json"
    schema.write_text(json.dumps(schema_at("v1/openapi")))
    options = {"post_hooks": [], "use_path_prefixes_for_title_model_names": False}
    config.write_text(json.dumps(options))
    command = [
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", str(schema)),
        *("--meta", "none", "--output-path", str(folder / "generated"), "--config", str(config)),
    ]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "warning" not in (made.stdout + made.stderr).lower(), made.stdout


def test_it_creates_lists_rotates_and_revokes(
    server: Server, manager: Issued, tmp_path: Path
) -> None:
    _generate(tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM)

    command = [sys.executable, "program.py", server.address, manager.secret]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["Generated Generated True True", "revoked 401"]
    assert ApiKey.objects.get(name="Generated").status is Status.REVOKED

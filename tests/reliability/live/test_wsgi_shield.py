"""On a real server, a key that ignores 429 gets short responses, and each one is counted."""

import time
from pathlib import Path

import pytest

from apikeys.models import KeyUsage
from apikeys.services import Issued, set_key_rate_limit_tier
from config.wsgi_shield import MOST
from organizations.models import Organization
from tests.factories import SYSTEM
from tests.reliability.live.conftest import running
from tests.support.api import CURRENT, KEYS, templates
from tests.support.dialects import refusal_of

MESSAGE = "Too many requests were rejected, and more followed. Try again in "
CALLS = 60


@pytest.mark.usefixtures("committed")
def test_a_key_that_ignores_429(
    tmp_path: Path, acme: Organization, manager: Issued, foreigner: Issued
) -> None:
    set_key_rate_limit_tier(manager.key, tier="tiny", actor=SYSTEM)
    workspace = f"/api/v1/workspaces/{acme.pk}/api-keys"
    paths = [CURRENT, f"/envelope{KEYS}", workspace, templates(acme)]
    with running(tmp_path / "server.log", (1, 4)) as server:
        while server.call("GET", CURRENT, key=manager).status_code != 429:
            pass
        began = time.monotonic()
        answers = [server.call("GET", paths[n % 4], key=manager) for n in range(CALLS)]
        seconds = time.monotonic() - began
        others = server.call("GET", CURRENT, key=foreigner)
        changed = server.call("DELETE", f"{KEYS}/{manager.key.public_id}", key=manager)
        server.stop()

    short = [answer for answer in answers if MESSAGE in answer.text]
    assert {answer.status_code for answer in answers} == {429}
    assert len(answers) - len(short) <= MOST * (seconds / 2 + 2)
    assert others.status_code == 200
    assert changed.status_code == 429, "whatever it asks for"
    for answer in short:
        wait = answer.headers["Retry-After"]
        told = refusal_of(answer.request.url.path, answer.json())
        assert told.message == f"{MESSAGE}{wait} seconds."
        assert 2 < int(wait) <= 60, "until its limit lets it in again"
        assert answer.headers["RateLimit-Policy"] == answers[0].headers["RateLimit-Policy"]
        assert '"tiny";r=0;t=' in answer.headers["RateLimit"]
        assert answer.headers["X-Request-Id"].startswith("req_")
        assert answer.headers["Cache-Control"] == "no-store"
    counted = dict(KeyUsage.objects.filter(key=manager.key).values_list("result", "requests"))
    assert counted["rate_limited"] == CALLS + 2

"""The health checks /livez and /readyz."""

import pytest
from django.db import OperationalError, connection

from tests.support.client import ApiClient


def test_livez_asks_nobody(call: ApiClient) -> None:
    # Without the `db` fixture a query would fail.
    answer = call("GET", "/livez")

    assert (answer.status, answer.body) == (200, {"status": "ok"})


def test_readyz_asks_the_database_and_the_limiter(call: ApiClient, db: None) -> None:
    answer = call("GET", "/readyz")

    assert answer.status == 200
    checks = {"database": "ok", "limiter": "ok", "static_files": "ok"}
    assert answer.body == {"status": "ok", "checks": checks}


def test_readyz_is_503_while_the_database_is_away(call: ApiClient, db: None) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("could not connect to server 10.0.0.7")

    with connection.execute_wrapper(refuse):
        answer = call("GET", "/readyz")

    assert answer.status == 503
    assert answer.body["status"] == "unavailable"
    assert answer.body["checks"]["database"] == "away"
    assert b"10.0.0.7" not in answer.raw


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_nobody_stores_the_health(call: ApiClient, db: None, path: str) -> None:
    assert call("GET", path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_health_is_read_only(call: ApiClient, db: None, path: str) -> None:
    answer = call("POST", path)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert call("HEAD", path).status == 200

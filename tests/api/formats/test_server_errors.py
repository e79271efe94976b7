"""Server errors have the shape of the format that was used."""

from typing import Any

import pytest
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path

from apikeys.api.formats.envelope import ENVELOPE
from apikeys.api.formats.workspace import WORKSPACE
from apikeys.api.viewsets import ApiKeyViewSet
from apikeys.services import Issued
from tests.support.client import ApiClient


class Failing(ApiKeyViewSet):
    """A viewset with a defect, or whose database is away."""

    error: Exception = RuntimeError("a defect")

    def list(self, request: Any, **_: str) -> Any:
        raise self.error


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a defect")


AWAY = OperationalError("connection to server at 10.0.0.1 failed")
VIEWS = {"envelope": ENVELOPE, "api": WORKSPACE}
urlpatterns = [
    *(path(f"{root}/crash", crash) for root in VIEWS),
    *(
        path(f"{root}/{name}", Failing.as_view({"get": "list"}, wire=wire, **options))
        for root, wire in VIEWS.items()
        for name, options in (("defect", {}), ("away", {"error": AWAY}))
    ),
]
handler500 = "config.error_views.server_error"
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.mark.parametrize("root", list(VIEWS))
@pytest.mark.parametrize("name", ["crash", "defect"])
def test_a_defect(call: ApiClient, reader: Issued, root: str, name: str) -> None:
    answer = call("GET", f"/{root}/{name}", key=reader)

    assert answer.status == 500
    assert "request id" in answer.refusal.message
    assert answer.refusal.code in ("internal_error", None)
    assert b"defect" not in answer.raw


@pytest.mark.parametrize("root", list(VIEWS))
def test_the_database_is_away(call: ApiClient, reader: Issued, root: str) -> None:
    answer = call("GET", f"/{root}/away", key=reader)

    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.refusal.code in ("unavailable", None)
    assert b"10.0.0.1" not in answer.raw

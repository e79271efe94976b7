"""Liveness and readiness checks."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from apikeys.api.errors import RETRY_SECONDS
from apikeys.ratelimits.limiter import limiter
from config import readiness


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 while the process responds. Checks nothing else."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 with the reason while pages or keys would fail.

    The limiter is reported, but keys work without its store.
    """
    checks = {"database": readiness.database(), "static_files": readiness.static_files()}
    ready = set(checks.values()) == {readiness.OK}
    for check, fault in checks.items():
        readiness.log(check, fault)
    body = {
        "status": "ok" if ready else "unavailable",
        "checks": checks | {"limiter": _limiter()},
    }
    headers = {"Cache-Control": "no-store"} | ({} if ready else {"Retry-After": RETRY_SECONDS})
    return JsonResponse(body, status=200 if ready else 503, headers=headers)


def _limiter() -> str:
    return readiness.OK if limiter().is_reachable() else readiness.AWAY


#: Paths handled here, not by the URL configuration.
CHECKS: Final[dict[str, Callable[[HttpRequest], HttpResponse]]] = {
    "/livez": livez,
    "/readyz": readyz,
}


def health_checks(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that handles `/livez` and `/readyz` for any Host: probes use IP addresses."""
    return lambda request: CHECKS.get(request.path, get_response)(request)

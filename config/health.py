"""Whether this process lives, and whether it can do its work."""

from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from apikeys.api.failures import RETRY_SECONDS
from apikeys.limits import limiter


@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 while the process answers; asks nothing else."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 while the database is away. The limiter is reported, but keys work without its store."""
    checks = {"database": _database_answers(), "limiter": limiter().is_reachable()}
    ready = checks["database"]
    body = {
        "status": "ok" if ready else "unavailable",
        "checks": {name: "ok" if passed else "away" for name, passed in checks.items()},
    }
    headers = {"Cache-Control": "no-store"} | ({} if ready else {"Retry-After": RETRY_SECONDS})
    return JsonResponse(body, status=200 if ready else 503, headers=headers)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


#: The addresses that no URL configuration knows.
CHECKS: Final[dict[str, Callable[[HttpRequest], HttpResponse]]] = {
    "/livez": livez,
    "/readyz": readyz,
}


def health_checks(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers `/livez` and `/readyz` for any Host: probes call by address."""
    return lambda request: CHECKS.get(request.path, get_response)(request)

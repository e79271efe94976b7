"""URLs with a product's own view that calls a service in its own transaction."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from apikeys import services
from apikeys.models import ApiKey
from core import ids
from core.actors import Actor


@csrf_exempt
@transaction.atomic
def offboard(request: HttpRequest, id: str) -> HttpResponse:
    """Revokes a key as one part of what the product writes."""
    key = ApiKey.objects.get(pk=str(ids.read_id("key", id)))
    services.revoke_api_key(key, actor=Actor.system("product"))
    return HttpResponse("done")


urlpatterns = [path("product/offboard/<str:id>/", offboard), path("", include("config.urls"))]

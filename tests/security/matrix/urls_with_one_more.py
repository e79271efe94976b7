"""The URLs with a new route, and a new method of an existing route, for a test."""

from django.urls import include, path

from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.viewsets import ApiKeyViewSet

urlpatterns = [
    path("v1/api-keys/<str:id>/copy", ApiKeyViewSet.as_view({"post": "create"}, wire=CANONICAL)),
    path(
        "v1/api-keys/current",
        ApiKeyViewSet.as_view({"get": "current", "delete": "destroy"}, wire=CANONICAL),
    ),
    path("", include("config.urls")),
]

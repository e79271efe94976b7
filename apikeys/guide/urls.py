"""URLs of the developer guide."""

from django.urls import path

from apikeys.guide import views

app_name = "guide"
urlpatterns = [
    path("docs/", views.Start.as_view(), name="start"),
    path("docs/calls/", views.Calls.as_view(), name="calls"),
    path("docs/errors/", views.Errors.as_view(), name="errors"),
    path("docs/formats/", views.Formats.as_view(), name="formats"),
    path("docs/changes/", views.Changes.as_view(), name="changes"),
]

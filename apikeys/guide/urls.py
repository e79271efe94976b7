"""URLs of the developer guide."""

from django.urls import path

from apikeys.guide import views

app_name = "guide"
urlpatterns = [
    path("docs/", views.Start.as_view(), name="start"),
    path("docs/authentication/", views.Topic.as_view(page="authentication"), name="authentication"),
    path("docs/environments/", views.Topic.as_view(page="environments"), name="environments"),
    path("docs/create/", views.Topic.as_view(page="create"), name="create"),
    path("docs/permissions/", views.Permissions.as_view(), name="permissions"),
    path("docs/rotate/", views.Topic.as_view(page="rotate"), name="rotate"),
    path("docs/delete/", views.Topic.as_view(page="delete"), name="delete"),
    path("docs/calls/", views.Calls.as_view(), name="calls"),
    path("docs/errors/", views.Errors.as_view(), name="errors"),
    path("docs/limits/", views.Limits.as_view(), name="limits"),
    path("docs/formats/", views.Topic.as_view(page="formats"), name="formats"),
    path("docs/scanning/", views.Scanning.as_view(), name="scanning"),
    path("docs/changes/", views.Changes.as_view(), name="changes"),
    path("docs/search/", views.Search.as_view(), name="search"),
]

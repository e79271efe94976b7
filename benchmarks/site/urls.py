"""URLs of the contenders, under a path of the API, so that all use the same few middleware."""

from django.urls import include, path

from benchmarks.site import views
from config.urls import handler400, handler403, handler404, handler429, handler500

__all__ = ["handler400", "handler403", "handler404", "handler429", "handler500", "urlpatterns"]

urlpatterns = [
    path("api/bench/django", views.bare_django),
    path("api/bench/drf", views.BareDRF.as_view()),
    path("api/bench/ours-plain", views.ours_plain),
    path("api/bench/ours-drf", views.OursDRF.as_view()),
    path("api/bench/drf-api-key", views.DrfApiKey.as_view()),
    path("api/bench/knox", views.Knox.as_view()),
    path("api/bench/keyset", views.keyset),
    path("", include("config.urls")),
]

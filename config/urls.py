"""Mounts the admin and the API; `config.health` answers before any address is looked up."""

from django.contrib import admin
from django.urls import include, path

from config.theme import choose_theme
from organizations.views.sessions import Sessions, SignOut

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/sessions/", Sessions.as_view(), name="usersessions_list"),
    path("accounts/logout/", SignOut.as_view(), name="account_logout"),
    path("accounts/", include("allauth.urls")),
    path("theme/", choose_theme, name="theme"),
    path("", include("apikeys.api.urls")),
    path("", include("organizations.urls")),
    path("", include("apikeys.urls")),
    path("", include("apikeys.guide.urls")),
]

handler400 = "config.handlers.bad_request"
handler403 = "config.handlers.permission_denied"
handler404 = "config.handlers.not_found"
handler429 = "config.handlers.too_many_requests"  # asked for by django-allauth
handler500 = "config.handlers.server_error"

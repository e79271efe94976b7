"""Root URL configuration. `config.health` handles its paths before URLs are resolved."""

import allauth.urls
from django.contrib import admin
from django.urls import include, path, re_path

from config import well_known
from config.design import DesignView
from config.theme import choose_theme
from organizations.pages.email_settings import EmailSettings, Unsubscribe
from organizations.pages.personal_data import PersonalData
from organizations.signin.account_changes import atomic_change, with_atomic_changes
from organizations.signin.views.confirm_email import ConfirmEmail
from organizations.signin.views.passwords import ChangePassword, SetPassword
from organizations.signin.views.sessions import Sessions, SignOut
from organizations.signin.views.sign_up import SignUp

_confirm_email = re_path(
    r"^confirm-email/(?P<key>[-:\w]+)/$",
    atomic_change(ConfirmEmail.as_view()),
    name="account_confirm_email",
)
urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/sessions/", Sessions.as_view(), name="usersessions_list"),
    path("accounts/data/", PersonalData.as_view(), name="personal_data"),
    path("accounts/notifications/", EmailSettings.as_view(), name="notifications"),
    path("accounts/notifications/off/<str:token>/", Unsubscribe.as_view(), name="unsubscribe"),
    path("accounts/logout/", SignOut.as_view(), name="account_logout"),
    path("accounts/signup/", SignUp.as_view(), name="account_signup"),
    path("accounts/", include([_confirm_email])),
    path(
        "accounts/password/change/",
        atomic_change(ChangePassword.as_view()),
        name="account_change_password",
    ),
    path(
        "accounts/password/set/", atomic_change(SetPassword.as_view()), name="account_set_password"
    ),
    path("accounts/", include(with_atomic_changes(allauth.urls.urlpatterns))),
    path("design/", DesignView.as_view(), name="design"),
    path("theme/", choose_theme, name="theme"),
    path("", include(well_known.urlpatterns)),
    path("", include("apikeys.api.urls")),
    path("", include("organizations.pages.urls")),
    path("", include("apikeys.pages.urls")),
    path("", include("apikeys.guide.urls")),
]

handler400 = "config.error_views.bad_request"
handler403 = "config.error_views.permission_denied"
handler404 = "config.error_views.not_found"
handler429 = "config.error_views.too_many_requests"  # used by django-allauth
handler500 = "config.error_views.server_error"

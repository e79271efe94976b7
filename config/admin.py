"""The staff administration's frame."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse


class StaffAdminSite(AdminSite):
    """Looks unlike the customers' pages on purpose, so that nobody mistakes one for the other."""

    site_header = f"{settings.SITE_NAME} staff"
    site_title = f"{settings.SITE_NAME} staff"
    #: The lists need the width, and the start page names every list.
    enable_nav_sidebar = False
    index_title = "Look after organizations and their keys"

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The sign-in of everybody, with its limits and its second factor."""
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

"""The staff administration's frame."""

from django.conf import settings
from django.contrib.admin import AdminSite


class StaffAdminSite(AdminSite):
    """Looks unlike the customers' pages on purpose, so that nobody mistakes one for the other."""

    site_header = f"{settings.SITE_NAME} staff"
    site_title = f"{settings.SITE_NAME} staff"
    #: The lists need the width, and the start page names every list.
    enable_nav_sidebar = False
    index_title = "Look after organizations and their keys"

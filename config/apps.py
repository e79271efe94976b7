"""The staff administration."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    """Django admin under the site's own name."""

    default_site = "config.admin.StaffAdminSite"

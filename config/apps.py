"""App configuration that installs the staff admin site."""

from django.contrib.admin.apps import AdminConfig

from core.forms import keep_choices_out_of_errors


class StaffAdminConfig(AdminConfig):
    default_site = "config.admin.StaffAdminSite"

    def ready(self) -> None:
        keep_choices_out_of_errors()
        super().ready()

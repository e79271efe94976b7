"""App config of `organizations`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class OrganizationsConfig(AppConfig):
    """Connects the app's signal receivers and registers its system checks."""

    name = "organizations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from organizations.checks import register_checks
        from organizations.signin.event_log import log_sign_ins
        from organizations.signin.reauthentication import rotate_session_on_reauthentication
        from organizations.signin.totp import accept_previous_code
        from organizations.triggers import install_after_migrate, remove_before_migrate

        pre_migrate.connect(remove_before_migrate, sender=self)
        post_migrate.connect(install_after_migrate, sender=self)
        register_checks()
        log_sign_ins()
        rotate_session_on_reauthentication()
        accept_previous_code()

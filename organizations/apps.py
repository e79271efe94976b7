"""The app of people and what they belong to."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class OrganizationsConfig(AppConfig):
    """Installs this app's database triggers after each migrate, its checks, and listeners."""

    name = "organizations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from organizations.checks import register_checks
        from organizations.signin.event_log import log_sign_ins
        from organizations.signin.reauthentication import renew_ids
        from organizations.signin.totp import take_one_step_back
        from organizations.triggers import install_after_migrate, remove_before_migrate

        pre_migrate.connect(remove_before_migrate, sender=self)
        post_migrate.connect(install_after_migrate, sender=self)
        register_checks()
        log_sign_ins()
        renew_ids()
        take_one_step_back()

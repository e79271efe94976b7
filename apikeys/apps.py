"""App config of `apikeys`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class ApiKeysConfig(AppConfig):
    """Installs database triggers after each migrate, and adds keys to personal data exports."""

    name = "apikeys"
    verbose_name = "API keys"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apikeys import personal_data as personal_data
        from apikeys.triggers import install_after_migrate, remove_before_migrate

        pre_migrate.connect(remove_before_migrate, sender=self)
        post_migrate.connect(install_after_migrate, sender=self)

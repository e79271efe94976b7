"""A command that is missing from the table of revocations. `test_revocation.py` must detect it."""

from typing import Any

from django.core.management.base import BaseCommand

from apikeys import services
from apikeys.models import ApiKey
from core.actors import Actor


class Command(BaseCommand):
    """Never run."""

    def handle(self, *args: Any, **options: Any) -> None:
        for key in ApiKey.objects.all():
            services.rotate_api_key(key, actor=Actor.system("tests"))

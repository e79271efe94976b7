"""Moves second factors to the newest SECRET_KEY."""

from collections import Counter
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.sqlite_writers import turn
from organizations.management.output import report
from organizations.signin import encryption


class Command(BaseCommand):
    """`reseal_second_factors`; fails while the present keys cannot read one."""

    help = "Encrypts the seeds of second factors under the newest SECRET_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        seeded = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)
        found = Counter(map(_reseal, list(seeded.order_by("pk").values_list("pk", flat=True))))
        report(
            self.stdout,
            f"Moved to the newest SECRET_KEY: {found['moved']:,}.\n"
            f"There already: {found['there']:,}.",
        )
        if found["unreadable"]:
            raise CommandError(
                "Second factors that neither SECRET_KEY nor SECRET_KEY_FALLBACKS can read:"
                f" {found['unreadable']:,}. Add the key that they are under, or remove them."
            )


def _reseal(pk: int) -> str:
    """What became of one row, which is locked so that a code that is used meanwhile stays used."""
    with turn(), transaction.atomic():
        factor = Authenticator.objects.select_for_update().filter(pk=pk).first()
        if factor is None:
            return "gone"
        try:
            data = encryption.with_seeds(factor.data, encryption.reseal)
        except encryption.Unreadable:
            return "unreadable"
        if data == factor.data:
            return "there"
        factor.data = data
        factor.save(update_fields=["data"])
        return "moved"

"""Command that encrypts second factors with the newest SECRET_KEY."""

from collections import Counter
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.sqlite_writers import write_lock
from organizations.management.output import report
from organizations.signin import encryption


class Command(BaseCommand):
    """`reseal_second_factors`. Fails if the current keys can't decrypt one."""

    help = "Encrypts the seeds of second factors with the newest SECRET_KEY."

    def handle(self, *args: Any, **options: Any) -> None:
        seeded = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)
        found = Counter(map(_reseal, list(seeded.order_by("pk").values_list("pk", flat=True))))
        report(
            self.stdout,
            f"Encrypted with the newest SECRET_KEY: {found['moved']:,}.\n"
            f"Already up to date: {found['current']:,}.",
        )
        if found["unreadable"]:
            raise CommandError(
                "Second factors that neither SECRET_KEY nor SECRET_KEY_FALLBACKS can decrypt:"
                f" {found['unreadable']:,}. Add the missing key, or remove these second factors."
            )


def _reseal(pk: int) -> str:
    """Re-encrypts one row. Locked, so that a code used meanwhile stays used."""
    with write_lock(), transaction.atomic():
        factor = Authenticator.objects.select_for_update().filter(pk=pk).first()
        if factor is None:
            return "gone"
        try:
            data = encryption.with_seeds(factor.data, encryption.reseal)
        except encryption.Unreadable:
            return "unreadable"
        if data == factor.data:
            return "current"
        factor.data = data
        factor.save(update_fields=["data"])
        return "moved"

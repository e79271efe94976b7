"""Deletes old usage."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apikeys.models import KeyUsage
from apikeys.usage import UNUSED_DAYS
from organizations import writes

_BATCH: Final = 10_000


class Command(BaseCommand):
    """`prune_usage [--days N]`; for a timer, once a day."""

    help = "Deletes counted requests that are older than some days, a batch at a time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=400, help="how many to keep (400)")

    def handle(self, *args: Any, **options: Any) -> None:
        days: int = options["days"]
        if not UNUSED_DAYS < days <= 36_500:
            raise CommandError(f"Keep more than {UNUSED_DAYS} and at most 36500 days.")
        before = timezone.now() - timedelta(days=days)
        total = 0
        while deleted := _delete(before):
            total += deleted
            self.stdout.write(f"Deleted {total} rows so far.")
        self.stdout.write(f"Done: {total} rows older than {days} days deleted.")


def _delete(before: Any) -> int:
    """One batch, so that neither locks nor the log of the database grow large."""
    old = KeyUsage.objects.filter(hour__lt=before).order_by("hour")
    last = old.values_list("hour", flat=True)[_BATCH - 1 : _BATCH].first()
    with writes.turn():
        batch = KeyUsage.objects.filter(hour__lt=before)
        if last is not None:
            batch = batch.filter(hour__lte=last)
        return batch.delete()[0]

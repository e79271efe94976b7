"""Command that deletes old usage."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apikeys import retention
from apikeys.usage.reports import UNUSED_DAYS
from organizations.management.output import report


class Command(BaseCommand):
    """`prune_usage [--days N]`. Run it daily."""

    help = "Deletes usage older than a number of days, in batches."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=400, help="days to keep (default: 400)")

    def handle(self, *args: Any, **options: Any) -> None:
        days: int = options["days"]
        if not UNUSED_DAYS < days <= 36_500:
            raise CommandError(f"Keep more than {UNUSED_DAYS} and at most 36500 days.")
        before = timezone.now() - timedelta(days=days)
        total = 0
        for deleted in retention.remove_usage(before):
            total += deleted
            report(self.stdout, f"Deleted {total} rows so far.")
        report(self.stdout, f"Done: {total} rows older than {days} days deleted.")

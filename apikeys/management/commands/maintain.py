"""Command that deletes data older than the retention settings. Run it daily."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from apikeys import retention
from apikeys.services.idempotency import expired_calls
from core.actors import Actor
from organizations.management.output import report
from organizations.services import retention as people

_ACTOR: Final = Actor.system("maintain")


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of rows: counts and removes those before a time. `remove` yields batch sizes."""

    what: str
    count: Callable[[datetime], int]
    remove: Callable[[datetime], Iterable[int]]
    #: The setting in days. Empty for rows that are removed as soon as they have expired.
    setting: str = ""


def _sessions(before: datetime) -> Iterator[int]:
    yield people.remove_ended_sessions()


STEPS: Final = (
    Step(
        "sign-ups that were never confirmed",
        lambda before: people.unconfirmed(before).count(),
        lambda before: people.remove_unconfirmed(before, actor=_ACTOR),
        "RETENTION_UNCONFIRMED_DAYS",
    ),
    Step(
        "rows of ended sessions",
        lambda _: sum(rows.count() for rows in people.ended_sessions()),
        _sessions,
    ),
    Step(
        "audit events with an IP address or a user agent",
        lambda before: people.with_addresses(before).count(),
        lambda before: people.erase_addresses(before, actor=_ACTOR),
        "RETENTION_ADDRESS_DAYS",
    ),
    Step(
        "Idempotency-Keys",
        lambda _: expired_calls().count(),
        lambda _: retention.remove(expired_calls()),
    ),
    Step(
        "sent forms",
        lambda before: retention.old_forms(before).count(),
        lambda before: retention.remove(retention.old_forms(before)),
        "RETENTION_SUBMISSION_DAYS",
    ),
    Step(
        "ended secrets",
        lambda before: retention.ended_secrets(before).count(),
        lambda before: retention.remove(retention.ended_secrets(before)),
        "RETENTION_SECRET_DAYS",
    ),
    Step(
        "rows of usage",
        lambda before: retention.old_usage(before).count(),
        retention.remove_usage,
        "RETENTION_USAGE_DAYS",
    ),
)


class Command(BaseCommand):
    """`maintain [--dry-run]`."""

    help = "Deletes data older than the RETENTION_* settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count, delete nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = [step.what for step in STEPS if not self._runs(step, dry=options["dry_run"])]
        if failed:
            raise CommandError(f"Failed: {', '.join(failed)}. All other steps succeeded.")

    def _runs(self, step: Step, *, dry: bool) -> bool:
        days = getattr(settings, step.setting) if step.setting else 0
        if step.setting and not days:
            report(self.stdout, f"{step.what}: kept forever ({step.setting}=0).")
            return True
        before = timezone.now() - timedelta(days=days)
        try:
            number = step.count(before) if dry else sum(step.remove(before))
        except DatabaseError as error:
            self.stderr.write(f"{step.what}: {str(error).partition(chr(10))[0]}")
            return False
        report(self.stdout, f"{step.what}: {number} {'would be removed' if dry else 'removed'}.")
        return True

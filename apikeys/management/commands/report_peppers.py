"""Command that reports which peppers are still needed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apikeys import conf
from apikeys.models import ApiKeySecret, PepperUse
from apikeys.tokens import Peppers

_ROW = "{:>6}  {:<11}  {:>8}  {:>10}  {:>8}  {}"
_HEADINGS = _ROW.format("pepper", "in settings", "live", "never used", "ended", "last used")


class Command(BaseCommand):
    """`report_peppers`. Fails while a live secret uses a pepper other than the newest."""

    help = "Counts the secrets per pepper and reports which peppers can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        peppers = conf.peppers()
        uses = ApiKeySecret.objects.by_pepper(timezone.now())
        unused = peppers.values.keys() - {use.pepper for use in uses}
        uses += [PepperUse(number) for number in unused]
        uses.sort(key=lambda use: use.pepper, reverse=True)
        self.stdout.write(_HEADINGS)
        for use in uses:
            self.stdout.write(_row(use, peppers))
        others = [use for use in uses if use.pepper != peppers.newest]
        for use in others:
            self.stdout.write(_advice(use, peppers))
        waiting = sum(use.live for use in others)
        if waiting:
            raise CommandError(f"Live secrets that are not under the newest pepper: {waiting:,}.")


def _row(use: PepperUse, peppers: Peppers) -> str:
    listed = "yes" if use.pepper in peppers.values else "no"
    place = "newest" if use.pepper == peppers.newest else listed
    last = f"{use.last_used_at:%Y-%m-%d %H:%M} UTC" if use.last_used_at else "never"
    return _ROW.format(
        use.pepper, place, f"{use.live:,}", f"{use.never_used:,}", f"{use.ended:,}", last
    )


def _advice(use: PepperUse, peppers: Peppers) -> str:
    number = use.pepper
    if number in peppers.values and use.live:
        return (
            f"Keep pepper {number}. Live secrets that move when they are next used: {use.live:,},"
            f" never used so far: {use.never_used:,}."
        )
    if number in peppers.values:
        return (
            f"Pepper {number} can be taken out of API_KEY_PEPPERS. Ended secrets that are then"
            f" refused without the reason: {use.ended:,}."
        )
    if use.live:
        return (
            f"Pepper {number} is not in API_KEY_PEPPERS. Live secrets that are refused as unknown"
            f" until it is there again: {use.live:,}."
        )
    return f"Pepper {number} is gone, and no live secret needs it."

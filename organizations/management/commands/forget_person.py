"""Command that erases the personal data of a person who has left."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.actors import Actor
from core.exceptions import DomainError
from organizations import services
from organizations.management.options import not_empty
from organizations.management.output import report
from organizations.models import User


class Command(BaseCommand):
    """`forget_person EMAIL --yes`."""

    help = "Replaces a person's name and addresses by a pseudonym, also in the audit log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", type=not_empty)
        parser.add_argument("--yes", action="store_true", help="Confirm. This can't be undone.")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.with_email(options["email"]).first()
        if user is None:
            raise CommandError("Unknown email address.")
        if not options["yes"]:
            raise CommandError("This can't be undone. Add --yes to do it.")
        try:
            forgotten = services.forget_person(user, actor=Actor.system("forget_person"))
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        report(self.stdout, f"Done: {forgotten.name}.")

"""Makes an organization and its first admin."""

import json
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from organizations import services
from organizations.actors import Actor
from organizations.exceptions import DomainError
from organizations.models import Organization, User


class Command(BaseCommand):
    """`create_organization NAME --admin-email E [--admin-password P] [--json]`."""

    help = "Makes an organization and its admin; prints a generated password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--admin-email", required=True)
        parser.add_argument(
            "--admin-password", help="Generated when left out. Other users may see it in `ps`."
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organization, password = _create(
                options["name"], options["admin_email"], options["admin_password"]
            )
        except (DomainError, ValidationError) as refusal:
            raise CommandError("; ".join(_sentences(refusal))) from None
        shown = {
            "id": str(organization.id),
            "public_id": organization.public_id,
            "slug": organization.slug,
            "admin_email": options["admin_email"].strip().lower(),
            "admin_password": password,
        }
        if options["json"]:
            self.stdout.write(json.dumps(shown))
        else:
            lines = [f"{name}: {value or 'unchanged'}" for name, value in shown.items()]
            self.stdout.write("\n".join(lines))


@transaction.atomic
def _create(name: str, email: str, password: str | None) -> tuple[Organization, str | None]:
    """The organization and the admin's password; None for somebody who has one already."""
    admin = User.objects.filter(email__iexact=email.strip()).first()
    if admin and password:
        raise ValidationError(f"{admin.email} has a password already; leave --admin-password out.")
    if admin is None:
        password = password or secrets.token_urlsafe(15)
        admin = User.objects.create_user(email, password)
    actor = Actor.system("create_organization")
    return services.create_organization(name=name, admin=admin, actor=actor), password


def _sentences(refusal: DomainError | ValidationError) -> list[str]:
    return refusal.messages if isinstance(refusal, ValidationError) else [refusal.message]

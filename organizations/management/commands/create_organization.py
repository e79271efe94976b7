"""Command that creates an organization and its first admin."""

import json
import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.actors import Actor
from core.exceptions import DomainError
from core.text import canonical_email
from organizations import services
from organizations.management.options import not_empty
from organizations.management.output import OutputLost, note, show
from organizations.models import Organization, User
from organizations.signin.passwords import refuse_words


class Command(BaseCommand):
    """`create_organization NAME --admin-email E [--admin-password P] [--json]`."""

    help = "Creates an organization and its admin. Prints a generated password once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", type=not_empty)
        parser.add_argument("--admin-email", required=True, type=not_empty)
        parser.add_argument(
            "--admin-password",
            type=not_empty,
            help="Generated if omitted. Other users of this machine can see it in `ps`.",
        )
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            organization, password = _create(
                options["name"], options["admin_email"], options["admin_password"]
            )
        except (DomainError, ValidationError) as refusal:
            raise CommandError("; ".join(_sentences(refusal))) from None
        admin_email = canonical_email(options["admin_email"])
        shown = {
            "id": str(organization.id),
            "public_id": organization.public_id,
            "slug": organization.slug,
            "admin_email": admin_email,
            "admin_password": password,
        }
        lines = [f"{name}: {value or 'unchanged'}" for name, value in shown.items()]
        text = json.dumps(shown) if options["json"] else "\n".join(lines)
        try:
            show(self.stdout, text)
        except OutputLost as loss:
            made = f"The organization {shown['slug']} ({shown['public_id']}) was created."
            reason = f"Standard output could not be written: {loss}\n{made}"
            if password is None or options["admin_password"]:
                note(reason)  # nothing is lost
                return
            advice = f"Set a password for its admin: manage.py changepassword {admin_email}"
            raise CommandError(f"{reason} {advice}") from None


@transaction.atomic
def _create(name: str, email: str, password: str | None) -> tuple[Organization, str | None]:
    """Returns the password too, None for an existing user."""
    admin = User.objects.with_email(email).first()
    if admin and password:
        raise ValidationError(f"{admin.email} already has a password. Omit --admin-password.")
    if admin is None:
        refuse_words(password or "", [name])
        password = password or secrets.token_urlsafe(15)
        admin = User.objects.create_user(email, password)
    actor = Actor.system("create_organization")
    return services.create_organization(name=name, admin=admin, actor=actor), password


def _sentences(refusal: DomainError | ValidationError) -> list[str]:
    return refusal.messages if isinstance(refusal, ValidationError) else [refusal.message]

"""Makes an API key from the shell; its secret is printed once."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apikeys import conf, services
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.serializers import ApiKeySerializer
from apikeys.services import Issued
from apikeys.tokens import Environment
from apikeys.validation import read_timestamp
from organizations import ids
from organizations.actors import Actor
from organizations.exceptions import DomainError
from organizations.models import Organization


class Command(BaseCommand):
    """`create_api_key --organization SLUG_OR_ID --name N [--scope S …] [--json]`."""

    help = "Makes an API key; prints its secret once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", required=True, metavar="SLUG_OR_ID")
        parser.add_argument("--name", required=True)
        parser.add_argument("--scope", action="append", help="Repeatable; all when left out.")
        parser.add_argument("--environment", choices=[str(e) for e in Environment], default="live")
        parser.add_argument(
            "--expires-at", metavar="RFC3339", help="For example 2027-01-31T12:00:00Z."
        )
        parser.add_argument("--json", action="store_true", help="Print the canonical object.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            issued = _create(options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        if options["json"]:
            context = {"wire": CANONICAL, "fields": CANONICAL.shown("create"), "issued": issued}
            self.stdout.write(json.dumps(ApiKeySerializer(issued.key, context=context).data))
        else:
            self.stdout.write(f"{issued.key.public_id}\n{issued.secret}")


def _create(options: dict[str, Any]) -> Issued:
    expires_at = options["expires_at"]
    return services.create_api_key(
        organization=_organization(options["organization"]),
        actor=Actor.system("create_api_key"),
        name=options["name"],
        scopes=options["scope"] or list(conf.scopes()),
        environment=options["environment"],
        expires_at=read_timestamp(expires_at) if expires_at else None,
    )


def _organization(text: str) -> Organization:
    organization_id = ids.read_id("org", text)
    organizations = Organization.objects.all()
    found = (
        organizations.filter(id=organization_id)
        if organization_id
        else organizations.filter(slug=text)
    ).first()
    if found is None:
        raise CommandError(f"There is no organization with the slug or id “{text}”.")
    return found

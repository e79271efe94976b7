"""Command that creates an API key and prints its secret once."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apikeys import conf, services
from apikeys.api.formats.canonical import CANONICAL
from apikeys.api.serializers import ApiKeySerializer
from apikeys.services import Issued
from apikeys.tokens import Environment
from apikeys.validation import read_timestamp
from core import ids
from core.actors import Actor
from core.exceptions import DomainError
from organizations.management.options import not_empty
from organizations.management.output import OutputLost, show
from organizations.models import Organization


class Command(BaseCommand):
    """`create_api_key --organization SLUG_OR_ID --name N [--scope S …] [--json]`."""

    help = "Creates an API key and prints its secret once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", required=True, metavar="SLUG_OR_ID", type=not_empty)
        parser.add_argument("--name", required=True, type=not_empty)
        parser.add_argument(
            "--scope", action="append", type=not_empty, help="Repeatable. Default: all scopes."
        )
        parser.add_argument("--environment", choices=[str(e) for e in Environment], default="live")
        parser.add_argument(
            "--expires-at",
            metavar="RFC3339",
            type=not_empty,
            help="For example 2027-01-31T12:00:00Z.",
        )
        parser.add_argument("--json", action="store_true", help="Print the canonical object.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            issued = _create(options)
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        try:
            show(self.stdout, _text(issued, as_json=options["json"]))
        except BaseException as error:  # also on Ctrl-C: the secret is lost
            outcome = _revoke(issued)
            if not isinstance(error, OutputLost):
                self.stderr.write(outcome)
                raise
            raise CommandError(
                f"The secret could not be written to standard output: {error}\n{outcome}"
            ) from None


def _text(issued: Issued, *, as_json: bool) -> str:
    if not as_json:
        return f"{issued.key.public_id}\n{issued.secret}"
    context = {"wire": CANONICAL, "fields": CANONICAL.shown("create"), "issued": issued}
    return json.dumps(ApiKeySerializer(issued.key, context=context).data)


def _revoke(issued: Issued) -> str:
    """Revokes a key whose secret is lost, and returns a message."""
    key = issued.key
    try:
        services.revoke_api_key(
            key, actor=Actor.system("create_api_key"), reason="The secret could not be shown."
        )
    except (DomainError, DatabaseError):
        return f"Key {key.public_id} works. Revoke it: manage.py revoke_api_key {key.public_id}"
    return f"Key {key.public_id} was revoked. Create another one."


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
        raise CommandError(f"Unknown organization “{text}”. Use its slug or ID.")
    return found

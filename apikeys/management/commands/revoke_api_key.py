"""Revokes an API key from the shell."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apikeys import services
from apikeys.models import ApiKey
from organizations import ids
from organizations.actors import Actor
from organizations.exceptions import DomainError
from organizations.redaction import redact


class Command(BaseCommand):
    """`revoke_api_key ID [--reason R]`."""

    help = "Revokes an API key, from the next call on and for good."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="key_… or a UUID")
        parser.add_argument("--reason", default="", help="Kept in the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        key_id = ids.read_id("key", options["id"])
        key = ApiKey.objects.filter(pk=key_id).first() if key_id else None
        if key is None:
            raise CommandError(f"There is no API key with the id “{redact(options['id'])}”.")
        actor = Actor.system("revoke_api_key")
        try:
            key = services.revoke_api_key(key, actor=actor, reason=options["reason"])
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{key.public_id} “{key.name}” is revoked since {key.revoked_at:%c} UTC.")

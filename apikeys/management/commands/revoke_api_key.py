"""Command that revokes API keys."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apikeys import services
from apikeys.models import ApiKey
from core import ids
from core.actors import Actor
from core.exceptions import DomainError
from core.redaction import redact
from core.timestamps import rfc3339
from organizations.management.options import not_empty
from organizations.management.output import report


class Command(BaseCommand):
    """`revoke_api_key ID [ID …] [--cascade] [--reason R]`."""

    help = "Permanently revokes API keys, all or none, from the next request on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="+", metavar="ID", type=not_empty, help="key_… or a UUID")
        parser.add_argument(
            "--cascade", action="store_true", help="Also revoke keys that these keys created."
        )
        parser.add_argument("--reason", type=not_empty, help="Recorded in the audit log.")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = [_key(text) for text in options["ids"]]
        try:
            revoked = services.revoke_api_keys(
                keys,
                actor=Actor.system("revoke_api_key"),
                reason=options["reason"] or "",
                cascade=options["cascade"],
            )
        except DomainError as refusal:
            raise CommandError(refusal.message) from None
        lines = [
            f"{key.public_id} “{key.name}” was revoked at {rfc3339(key.revoked_at)}."
            for key in revoked
            if key.revoked_at
        ]
        report(self.stdout, "\n".join(lines))


def _key(text: str) -> ApiKey:
    key_id = ids.read_id("key", text)
    keys = ApiKey.objects.select_related("organization")
    key = keys.filter(pk=key_id).first() if key_id else None
    if key is None:
        raise CommandError(f"Unknown API key ID “{redact(text)}”.")
    return key

"""Command that writes the OpenAPI documents of all formats to a folder."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apikeys.api.urls import SCHEMAS, schema_at
from organizations.management.options import not_empty


class Command(BaseCommand):
    """`write_schemas FOLDER`."""

    help = "Writes the OpenAPI document of each format to a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=not_empty)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(options["folder"])
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for address in SCHEMAS:
                text = json.dumps(schema_at(address), indent=2, ensure_ascii=False) + "\n"
                (folder / file_name(address)).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"Can't write the schemas into {folder}: {error.strerror}") from None


def file_name(address: str) -> str:
    """The file name for a document's URL path."""
    return address.replace("/", "-") + ".json"

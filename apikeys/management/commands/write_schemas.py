"""Writes the OpenAPI documents of all formats into a folder, for the repository and for clients."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apikeys.api.urls import SCHEMAS, schema_at


class Command(BaseCommand):
    """`write_schemas FOLDER`."""

    help = "Writes the OpenAPI document of each format into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        for address in SCHEMAS:
            text = json.dumps(schema_at(address), indent=2, ensure_ascii=False)
            (folder / file_name(address)).write_text(text + "\n")


def file_name(address: str) -> str:
    """Where the document of an address is kept."""
    return address.replace("/", "-") + ".json"

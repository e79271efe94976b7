"""Command that prints everything stored about a person as JSON."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from core.actors import Actor
from organizations import services
from organizations.management.options import not_empty
from organizations.management.output import show
from organizations.models import User


class Command(BaseCommand):
    """`export_person EMAIL`."""

    help = "Prints what is stored about a person as JSON. Recorded in the audit log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", type=not_empty)

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.with_email(options["email"]).first()
        if user is None:
            raise CommandError("Unknown email address.")
        data = services.export_personal_data(user, actor=Actor.system("export_person"))
        show(self.stdout, json.dumps(data, cls=DjangoJSONEncoder, indent=2))

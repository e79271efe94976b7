"""Prepares the demo and becomes its server."""

import errno
import fcntl
import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from apikeys.management import demo_data
from organizations.management.options import not_empty
from organizations.management.output import OutputLost, show

_THREADS: Final = 4
#: Seconds after which a worker that does not stop is ended; Ctrl-C must not hang.
_PATIENCE: Final = 5


class Command(BaseCommand):
    """`demo [--host] [--port] [--workers]`; what `make demo` runs."""

    help = "Migrates, fills in demo data at the first start, and serves until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", type=not_empty)
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        _require_demo_settings()
        _require_alone()
        _require_free(host, port)
        if workers > 1 and connection.vendor == "sqlite":
            raise CommandError(
                "SQLite runs in one process. Set DATABASE_URL to a PostgreSQL database to use"
                " several workers."
            )
        show(self.stdout, "Preparing the database and the static files …")
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        name = _name_of(host, port)
        address = f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
        self._introduce(address)
        connections.close_all()
        environment = {
            "API_BASE_URL": address,
            **os.environ,
            "ALLOWED_HOSTS": ",".join([*settings.ALLOWED_HOSTS, host]),
            "GRANIAN_BLOCKING_THREADS": str(_THREADS),
        }
        _serve(host, port, workers, environment)

    def _introduce(self, address: str) -> None:
        if demo_data.is_seeded():
            demo = None
            demo_data.renew_password(settings.DEMO_PASSWORD)
        else:
            demo = demo_data.seed(settings.DEMO_PASSWORD)
        where_to = (
            f"\n  Settings pages         {address}/\n"
            f"    sign in as           {demo_data.ADMIN}\n"
            f"    with the password    {settings.DEMO_PASSWORD}\n"
            f"  The same password opens {demo_data.MEMBER} and {demo_data.OTHER_ADMIN},\n"
            f"  and {demo_data.STAFF} at {address}/admin/\n"
        )
        try:
            show(self.stdout, where_to + (_first_key(demo, address) if demo else _another_key()))
        except OutputLost as loss:
            raise CommandError(
                f"Standard output could not be written: {loss}\n"
                "At the first start, the secret of Acme's demo key is lost with it. Create another"
                " key: manage.py create_api_key --organization acme --name NAME"
            ) from None


def _first_key(demo: demo_data.Demo, address: str) -> str:
    return (
        f"\n  One working API key, shown this once:\n\n    {demo.secret}\n\n  Try it:\n\n"
        f'    curl -H "Authorization: Bearer {demo.secret}" '
        f'"{address}/v1/accounts/{demo.account_id}/templates?pageIndex=0&pageSize=5"\n'
    )


def _another_key() -> str:
    where = "" if connection.vendor == "sqlite" else ", with the same DATABASE_URL"
    name = demo_data.free_name()
    return (
        f"\n  A working key was shown at the first start. For another one{where}:\n\n"
        f'    {_python()} manage.py create_api_key --organization acme --name "{name}"\n'
    )


def _python() -> str:
    """How to call this interpreter from here."""
    here = Path(sys.executable)
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else "python"


def _require_demo_settings() -> None:
    if not settings.DEMO_PASSWORD:
        raise CommandError(
            "The demo uses settings of its own. Take ENV_FILE out of the environment,"
            " or set DEMO_PASSWORD."
        )


def _require_alone() -> None:
    """One demo for each file of SQLite, which serves one process only.

    The lock goes to the server with the open file, and ends with it.
    """
    if connection.vendor != "sqlite":
        return
    lock = os.open(f"{connection.settings_dict['NAME']}.demo", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            "A demo is already running on this database. Stop it first, or give this one a folder"
            " of its own: VAR_DIR=var/second make demo PORT=8001"
        ) from None
    os.set_inheritable(lock, True)


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError):
            raise CommandError(
                f"{host}:{port} cannot be used; something else may be listening there."
                " Choose another port: make demo PORT=8001"
            ) from None


def _name_of(host: str, port: int) -> str:
    """What to call this machine: localhost, since browsers refuse passkeys on IP addresses.

    Not where another program listens on the IPv6 address that localhost names too.
    """
    if host != "127.0.0.1":
        return host
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("::1", port))
    except OSError as error:
        return host if error.errno == errno.EADDRINUSE else "localhost"
    return "localhost"


def _serve(host: str, port: int, workers: int, environment: dict[str, str]) -> None:
    """Becomes granian, so that Ctrl-C and signals reach the server itself."""
    arguments = [
        sys.executable,
        *("-m", "granian", "--interface", "wsgi"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--workers-kill-timeout", str(_PATIENCE), "--no-ws", "config.wsgi:application"),
    ]
    os.execve(sys.executable, arguments, environment)  # noqa: S606  # nosec B606

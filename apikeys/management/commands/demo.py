"""Command that prepares the demo and replaces itself with its server."""

import errno
import fcntl
import os
import shlex
import socket
import sys
from argparse import ArgumentParser
from ipaddress import ip_address
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
#: Seconds after which a worker that does not stop is killed, so that Ctrl-C doesn't hang.
_KILL_AFTER: Final = 5
_CLOSING: Final = "\n  Press Ctrl-C to stop. Only warnings and emails appear below.\n"


class Command(BaseCommand):
    """`demo [--host] [--port] [--workers]`, run by `make demo`."""

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
        name = _name_of(host, port)
        url = f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
        self._prepare()
        self._introduce(url)
        connections.close_all()
        environment = {
            "API_BASE_URL": url,
            **_site_url(host, url),
            "LOG_LEVEL": "WARNING",
            **os.environ,
            "ALLOWED_HOSTS": ",".join([*settings.ALLOWED_HOSTS, host]),
            "GRANIAN_BLOCKING_THREADS": str(_THREADS),
        }
        _serve(host, port, workers, environment)

    def _prepare(self) -> None:
        show(self.stdout, "Migrating the database …")
        call_command("migrate", verbosity=0)
        show(self.stdout, "Collecting static files …")
        call_command("collectstatic", interactive=False, verbosity=0)

    def _introduce(self, url: str) -> None:
        secret = None
        if demo_data.is_seeded():
            demo_data.renew_password(settings.DEMO_PASSWORD)
        else:
            show(self.stdout, "Creating demo data …")
            secret = demo_data.seed(settings.DEMO_PASSWORD)
        try:
            show(self.stdout, _people(url) + _exports(url, secret) + _CLOSING)
        except OutputLost as loss:
            raise CommandError(
                f"Standard output could not be written: {loss}\n"
                "At the first start, the secret of Acme's demo key is lost with it. Create another"
                " key: manage.py create_api_key --organization acme --name NAME"
            ) from None


def _people(url: str) -> str:
    return (
        f"\n  Settings pages   {url}/\n"
        f"    sign in as     {demo_data.ADMIN}\n"
        f"    or as          {demo_data.MEMBER}, {demo_data.OTHER_ADMIN}\n"
        f"  Administration   {url}/admin/\n"
        f"    sign in as     {demo_data.STAFF}\n"
        f"  Password         {settings.DEMO_PASSWORD}\n"
    )


def _exports(url: str, secret: str | None) -> str:
    """Lines to paste into a shell before the tour in the README."""
    if secret:
        about, key = "The API key is shown only once.", secret
    else:
        about, key = f"The last line creates an API key{_same_database()}.", _new_key()
    return (
        f"\n  For the tour in README.md, paste these lines into a second terminal. {about}\n\n"
        f"    export API={url}\n"
        f"    export ACCOUNT={demo_data.account_id()}\n"
        f"    export KEY={key}\n"
    )


def _same_database() -> str:
    return "" if connection.vendor == "sqlite" else "; set the same DATABASE_URL first"


def _new_key() -> str:
    """A shell expression that creates a key and evaluates to its secret."""
    var = os.environ.get("VAR_DIR")
    folder = f"VAR_DIR={shlex.quote(var)} " if var else ""
    command = f'manage.py create_api_key --organization acme --name "{demo_data.free_name()}"'
    return f"$({folder}{_python()} {command} | tail -n 1)"


def _python() -> str:
    """How to run this interpreter from the current folder."""
    here = Path(sys.executable)
    return str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else "python"


def _require_demo_settings() -> None:
    if not settings.DEMO_PASSWORD:
        raise CommandError(
            "The demo uses settings of its own. Remove ENV_FILE from the environment,"
            " or set DEMO_PASSWORD."
        )


def _require_alone() -> None:
    """Allows one demo per SQLite file, which only one process may use.

    The server inherits the open file, and holds its lock until it stops.
    """
    if connection.vendor != "sqlite":
        return
    lock = os.open(f"{connection.settings_dict['NAME']}.demo", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CommandError(
            "A demo is already running on this database. Stop it first, or use another folder"
            " for this one: VAR_DIR=var/second make demo PORT=8001"
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
                f"{host}:{port} cannot be used; another program may be listening there."
                " Choose another port: make demo PORT=8001"
            ) from None


def _name_of(host: str, port: int) -> str:
    """The host name for URLs: localhost, because browsers refuse passkeys on IP addresses.

    Stays an IP address if another program listens on ::1, to which localhost may resolve.
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


def _site_url(host: str, url: str) -> dict[str, str]:
    """The setting with which links in emails begin. Empty for a host that is all addresses."""
    try:
        is_any = ip_address(host).is_unspecified
    except ValueError:
        is_any = False
    return {} if is_any else {"SITE_URL": url}


def _serve(host: str, port: int, workers: int, environment: dict[str, str]) -> None:
    """Replaces this process with granian, so that the server itself receives Ctrl-C and signals."""
    arguments = [
        sys.executable,
        *("-m", "granian", "--interface", "wsgi"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--log-level", "warning"),
        *("--workers-kill-timeout", str(_KILL_AFTER), "--no-ws", "config.wsgi:application"),
    ]
    os.execve(sys.executable, arguments, environment)  # noqa: S606  # nosec B606

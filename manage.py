#!/usr/bin/env python
"""Runs the commands of the project; `manage.py help` lists them."""

import signal
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import console, demo, env
from config.logs import redact_crashes


def main() -> None:
    """Chooses the settings, and runs the command of the command line."""
    if sys.argv[1:2] == ["demo"]:
        demo.use_own_settings()
    if sys.argv[1:] == ["generate_secrets"]:
        sys.stdout.write("\n".join(demo.generated()) + "\n")
        sys.exit()
    try:
        env.load(for_command=True)
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    redact_crashes()
    console.run(main)

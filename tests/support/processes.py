"""Runs the project's commands as real processes with separate environment variables."""

import os
import subprocess
import sys

from config.env import ROOT

SITE_URL = "https://keys.example.com"
GOOD_SECRETS = {
    "SECRET_KEY": "made-up-for-a-test-" * 4,
    "API_KEY_PEPPERS": "1:made-up-for-a-test-made-up-for-a-test",
}
#: Production settings do not start without one. No test sends anything to it.
MAIL_SERVER = "smtp://127.0.0.1:1025"


def environment(**variables: str) -> dict[str, str]:
    """`variables` and what production needs, without a settings file unless one is named."""
    kept = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull}
    return {**kept, "EMAIL_URL": MAIL_SERVER, "SITE_URL": SITE_URL, **variables}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `manage.py` to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

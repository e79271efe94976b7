"""How tests run the project's commands as real processes, in an environment of their own."""

import os
import subprocess
import sys

from config.env import ROOT

GOOD_SECRETS = {
    "SECRET_KEY": "made-up-for-a-test-" * 4,
    "API_KEY_PEPPERS": "1:made-up-for-a-test-made-up-for-a-test",
}


def environment(**variables: str) -> dict[str, str]:
    """Nothing but `variables`, and no settings file unless they name one."""
    return {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, **variables}


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

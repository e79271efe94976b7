"""Secrets of the demo, generated at its first start and kept next to its database."""

import os
import secrets

from config.env import DEMO_FILE, VAR


def use_own_settings() -> None:
    """Selects the demo's settings file instead of `.env`, whose database must not get demo data."""
    if "ENV_FILE" not in os.environ:
        _write_secrets()
        os.environ["ENV_FILE"] = str(DEMO_FILE)


def _write_secrets() -> None:
    """Writes the settings file of the demo, readable by its owner only, unless it exists."""
    if DEMO_FILE.exists():
        return
    VAR.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [
        "DJANGO_SETTINGS_MODULE=config.settings.base",
        "PASSKEYS_WITHOUT_HTTPS=on",
        "STAFF_SECOND_FACTOR=off",
        f"DEMO_PASSWORD={secrets.token_urlsafe(12)}",
        *generated(),
    ]
    descriptor = os.open(DEMO_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("\n".join(lines) + "\n")


def generated() -> list[str]:
    """Fresh secrets, as lines of a settings file."""
    return [
        f"SECRET_KEY={secrets.token_urlsafe(64)}",
        f"API_KEY_PEPPERS=1:{secrets.token_urlsafe(48)}",
    ]

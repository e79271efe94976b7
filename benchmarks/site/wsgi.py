"""WSGI application of the benchmark's servers: the whole application or a part of it."""

import os
from typing import Any

from benchmarks.site.counting import counted


def _application() -> Any:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
    os.environ.setdefault("ENV_FILE", os.devnull)
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    from config import wsgi

    found: Any = wsgi.application
    if os.environ.get("BENCH_MIDDLEWARE") == "none":
        # Not in the settings: some apps refuse to start without their middleware.
        settings.MIDDLEWARE = []
        found = get_wsgi_application()
    return counted(found) if os.environ.get("BENCH_COUNT") else found


application = _application()

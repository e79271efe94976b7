"""The application's own settings and the peers beside it; secrets are the benchmark's alone."""

import os

os.environ.setdefault("SECRET_KEY", "for-benchmarks-only-" * 4)
os.environ.setdefault("API_KEY_PEPPERS", "1:for-benchmarks-only-for-benchmarks-only")

from config.settings import base
from config.settings.base import *  # noqa: F403

ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.site.urls"
INSTALLED_APPS = [*base.INSTALLED_APPS, "rest_framework_api_key", "knox"]
# The sources themselves: nothing has to be collected first.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# A token of knox's ends after ten hours by default; these rows are kept between runs.
REST_KNOX = {"TOKEN_TTL": None}

"""The application's settings with the similar packages installed, and fixed secrets."""

import os

os.environ.setdefault("SECRET_KEY", "for-benchmarks-only-" * 4)
os.environ.setdefault("API_KEY_PEPPERS", "1:for-benchmarks-only-for-benchmarks-only")

from config.settings import base
from config.settings.base import *  # noqa: F403

ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.site.urls"
INSTALLED_APPS = [*base.INSTALLED_APPS, "rest_framework_api_key", "knox"]
# The sources, so that `collectstatic` is not needed.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Tokens of knox expire after ten hours by default, but these rows are kept between runs.
REST_KNOX = {"TOKEN_TTL": None}

"""Settings of the test suite: fixed secrets, quick password hashes, a database file of its own."""

import os

os.environ.setdefault("SECRET_KEY", "for-tests-only-" * 5)
os.environ.setdefault("API_KEY_PEPPERS", "1:for-tests-only-for-tests-only-for-tests-only")

# The settings of production, which some tests read, need one; tests have no site of their own.
os.environ.setdefault("SITE_URL", "https://testserver")

from config import env
from config.settings import base
from config.settings.base import *  # noqa: F403
from config.settings.base import DATABASES

SITE_URL = ""
STAFF_SECOND_FACTOR = False
RATE_LIMIT_TIERS = {**base.RATE_LIMIT_TIERS, "tiny": "50/minute"}
# Tests of the limit of keys set it; the others make as many as they want.
KEYS_PER_ORGANIZATION = env.number("KEYS_PER_ORGANIZATION", 0)
# Tests write usage when they want to look at it.
USAGE_INTERVAL = env.seconds("USAGE_INTERVAL", 0)
# A machine that runs tests may be slow.
DATABASE_PATIENCE = env.seconds("DATABASE_PATIENCE", 10)
# Tests of what is cached switch it on.
API_KEY_LEASE = env.seconds("API_KEY_LEASE", 0)
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Of the process alone, so that a test can empty it without taking anything from another.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file and not memory, so that threads and server processes of a test share it.
    DATABASES["default"]["TEST"] = {"NAME": env.VAR / "test.sqlite3"}
# The sources themselves, so that no test depends on an earlier `collectstatic`.
STATIC_ROOT = env.ROOT / "static"
STATICFILES_DIRS = []
WHITENOISE_USE_FINDERS = True

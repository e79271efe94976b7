"""Settings of the test suite: fixed secrets, fast password hashes, a separate database file."""

import os

os.environ.setdefault("SECRET_KEY", "for-tests-only-" * 5)
os.environ.setdefault("API_KEY_PEPPERS", "1:for-tests-only-for-tests-only-for-tests-only")

# Required by the production settings, which some tests read.
os.environ.setdefault("SITE_URL", "https://testserver")

from config import env
from config.settings import base
from config.settings.base import *  # noqa: F403
from config.settings.base import DATABASES

SITE_URL = ""
STAFF_SECOND_FACTOR = False
RATE_LIMIT_TIERS = {**base.RATE_LIMIT_TIERS, "tiny": "50/minute"}
# Tests of the key limit set their own.
KEYS_PER_ORGANIZATION = env.number("KEYS_PER_ORGANIZATION", 0)
# Tests write usage explicitly.
USAGE_INTERVAL = env.seconds("USAGE_INTERVAL", 0)
# Test machines may be slow.
DATABASE_TIMEOUT = env.seconds("DATABASE_TIMEOUT", 10)
# Tests of the cache enable it.
API_KEY_LEASE = env.seconds("API_KEY_LEASE", 0)
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Per process, so that tests can clear it without affecting others.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file rather than memory, so that threads and server processes share it.
    DATABASES["default"]["TEST"] = {"NAME": env.VAR / "test.sqlite3"}
# From the sources, so that tests don't depend on `collectstatic`.
WHITENOISE_USE_FINDERS = True
# Otherwise each test client reads all of them, which took a sixth of the suite's time.
WHITENOISE_AUTOREFRESH = True

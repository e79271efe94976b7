"""Settings of the tests, but for the cache: as in production, which is what is being tried."""

from config.settings import base
from config.settings.test import *  # noqa: F403

CACHES = base.CACHES

"""Test settings with the cache of production, which is under test."""

from config.settings import base
from config.settings.test import *  # noqa: F403

CACHES = base.CACHES

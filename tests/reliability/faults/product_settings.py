"""Test settings with the URLs of a product."""

from config.settings.test import *  # noqa: F403

ROOT_URLCONF = "tests.reliability.faults.product"

"""Fills the database of `DATABASE_URL`: `python -m benchmarks.site keys 1000`."""

import json
import os
import sys

import django


def main(what: str, *sizes: str) -> None:
    """Prints the facts of the database as JSON."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
    os.environ.setdefault("ENV_FILE", os.devnull)
    django.setup()
    from benchmarks.site.fill import fill_database

    print(json.dumps(fill_database(what, [int(size) for size in sizes])))


if __name__ == "__main__":
    main(*sys.argv[1:])

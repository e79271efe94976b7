"""Values that others write to the store of sign-in attempts are ignored, and never executed."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from config.caches import EnduringCache
from organizations.models import Organization, User
from tests.factories import PASSWORD
from tests.reliability.faults.machines import Store
from tests.support.logs import Lines

LOGIN = "/accounts/login/"


class Bomb:
    """Creates a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.file,)


@pytest.fixture
def store(tmp_path: Path, settings: Settings) -> Iterator[Store]:
    """A Redis of the test's own that the application counts in."""
    store = Store(tmp_path)
    store.start()
    backend = f"{EnduringCache.__module__}.{EnduringCache.__name__}"
    options = {"store_timeout": 5}
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": store.url, "OPTIONS": options}}
    yield store
    store.stop()


def plant(store: Store, value: bytes) -> int:
    """Overwrites every value in the store; returns how many there were."""
    with redis.Redis.from_url(store.url) as wire:
        names = wire.keys()
        for name in names:
            wire.set(name, value)
        return len(names)


def attempt(admin: User, password: str) -> int:
    return Client().post(LOGIN, {"login": admin.email, "password": password}).status_code


def test_a_planted_pickle_does_not_run(
    store: Store, acme: Organization, admin: User, tmp_path: Path, lines: Lines
) -> None:
    bomb = pickle.dumps(Bomb(tmp_path / "exploded"))
    attempt(admin, "wrong")

    assert plant(store, bomb)
    assert attempt(admin, PASSWORD) == 302
    assert not (tmp_path / "exploded").exists()
    assert "cache_value_unreadable" in [line["event"] for line in lines()]

    pickle.loads(bomb)  # otherwise the bomb would prove nothing
    assert (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"7",
        b"true",
        b'"text"',
        b'{"0": 1}',
        b"[[1]]",
        b"[NaN]",
        b"[1e999]",
        b"[true]",
        b"[" * 100_000,
        b"[" + b"9" * 5_000 + b"]",
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_planted_value_of_another_form_is_a_miss(
    store: Store, acme: Organization, admin: User, value: bytes
) -> None:
    attempt(admin, "wrong")

    assert plant(store, value)
    assert attempt(admin, PASSWORD) == 302


def test_attempts_are_still_counted_in_the_store(
    store: Store, acme: Organization, admin: User
) -> None:
    answers = [
        Client().post(LOGIN, {"login": admin.email, "password": f"wrong {n}"}) for n in range(8)
    ]

    assert answers[-1].context["form"].non_field_errors() == [
        "Too many attempts. Try again in a few minutes."
    ]
    with redis.Redis.from_url(store.url) as wire:
        assert wire.keys()


def test_what_could_not_be_read_back_is_not_stored(store: Store) -> None:
    with pytest.raises(TypeError, match="lists of numbers, not set"):
        cache.set("name", {1.5})

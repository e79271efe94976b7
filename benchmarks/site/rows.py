"""Values of the benchmark's rows, by their numbers."""

import hashlib
from typing import Any, Final

from apikeys import conf, tokens
from benchmarks import identities
from benchmarks.identities import row_id
from core.text import name_key

ORGANIZATION: Final = 1
USER: Final = 2
KEY: Final = 3
SECRET: Final = 4


def organization(number: int) -> dict[str, Any]:
    return {
        "id": row_id(ORGANIZATION, number),
        "name": f"Organization {number}",
        "slug": f"organization-{number}",
        # Its keys get more requests than a lower tier would allow.
        "rate_limit_tier": "maximum",
    }


def membership(organization: int) -> dict[str, Any]:
    """The membership of user 0 in an organization."""
    return {
        "organization_id": row_id(ORGANIZATION, organization),
        "user_id": row_id(USER, 0),
    }


def user(number: int) -> dict[str, Any]:
    """A user who owns one token of knox. With more tokens, each request would be slower."""
    return {
        "id": row_id(USER, number),
        "email": f"person-{number}@example.com",
        "password": "!",
    }


def key(number: int, owner: int) -> dict[str, Any]:
    """A key of organization number `owner`."""
    name = f"Production server {number}"
    return {
        "id": row_id(KEY, number),
        "organization_id": row_id(ORGANIZATION, owner),
        "name": name,
        "name_key": name_key(name),
        "rate_limit_tier": "standard",
    }


def secret(number: int) -> dict[str, Any]:
    """The secret of key number `number`."""
    presented, peppers = identities.our_secret(number), conf.peppers()
    return {
        "id": row_id(SECRET, number),
        "key_id": row_id(KEY, number),
        "digest": peppers.digest(presented, peppers.newest),
        "prefix": tokens.displayed_prefix(presented),
    }


def peer_key(number: int) -> dict[str, Any]:
    """A key of djangorestframework-api-key."""
    presented = identities.peer_key(number)
    hashed = "sha512$$" + hashlib.sha512(presented.encode()).hexdigest()
    prefix = presented.partition(".")[0]
    return {
        "id": f"{prefix}.{hashed}",
        "prefix": prefix,
        "hashed_key": hashed,
        "name": f"Production server {number}",
    }


def knox_token(number: int) -> dict[str, Any]:
    """A token of django-rest-knox."""
    presented = identities.knox_token(number)
    return {
        "digest": hashlib.sha512(presented.encode()).hexdigest(),
        "token_key": presented[:15],
        "user_id": row_id(USER, number),
    }

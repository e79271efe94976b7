"""Verifies a presented string with at most one query. Writes nothing to the database."""

from datetime import datetime

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from apikeys import conf, tokens
from apikeys.verification import guess_limit, key_cache
from apikeys.verification.query import NO_NUMBER, find_secret
from apikeys.verification.types import Refusal, Verification, VerifiedKey


def verify(secret: str, address: str | None = None) -> Verification:
    """Verifies a presented string. No query for a malformed or cached one, one for any other.

    `address` is the caller's IP address. An unknown secret counts against it, and an address that
    has sent too many of them gets `NOT_LOOKED_UP`. None for callers that can't guess, such as
    commands.
    """
    if not tokens.has_shape(secret):
        return Verification(None, Refusal.MALFORMED)
    peppers = conf.peppers()
    digest = peppers.digest(secret, peppers.newest)
    found = key_cache.held(digest)
    if found is not None:
        refusal, since = _recheck_expiry(found)
        return Verification(found, refusal, since, digest)
    if not tokens.has_checksum(secret):  # a cached secret has a valid one
        return Verification(None, Refusal.MALFORMED)
    # A secret that this process has accepted before is not a guess.
    if not key_cache.cache.knows(digest) and not guess_limit.may_look_up(address, digest):
        wait = max(1, guess_limit.retry_after(address, digest))  # the window may have just ended
        return Verification(None, Refusal.NOT_LOOKED_UP, digest=digest, retry_after=wait)
    outcome = _look_up(secret, digest)
    if outcome.refusal is Refusal.UNKNOWN:
        guess_limit.record_failure(address, digest)
    return outcome


def _look_up(secret: str, digest: bytes) -> Verification:
    """Queries the database and caches an accepted secret."""
    key_cache.start()
    peppers = conf.peppers()
    try:
        found, number = find_secret(
            peppers.digests(secret) if len(peppers.values) > 1 else [digest]
        )
    except (OperationalError, InterfaceError):
        found = key_cache.held_while_away(digest)
        if found is None:
            raise
        refusal, since = _recheck_expiry(found)
        return Verification(found, refusal, since, digest)
    if found is None:
        return Verification(None, Refusal.UNKNOWN, digest=digest)
    refusal, since = find_refusal(found, timezone.now())
    # Within a transaction the row may be one that is never committed.
    if refusal is None:
        key_cache.keep(digest, found, NO_NUMBER if connection.in_atomic_block else number)
    return Verification(found, refusal, since, digest)


def _recheck_expiry(found: VerifiedKey) -> tuple[Refusal | None, datetime | None]:
    """Judges a cached key. Only its expiry can have passed: any other change drops it."""
    if found.ends_at is None and found.expires_at is None:
        return None, None
    return find_refusal(found, timezone.now())


def find_refusal(found: VerifiedKey, now: datetime) -> tuple[Refusal | None, datetime | None]:
    """The first reason to refuse. Revocation comes first because it overrides a grace period."""
    # The order of STATUS_RULES, written out: applying the table would add 0.7 µs to each request.
    if found.revoked_at:
        return Refusal.REVOKED, found.revoked_at
    if found.ends_at and found.ends_at <= now:
        return Refusal.ROTATED, found.ends_at
    if found.expires_at and found.expires_at <= now:
        return Refusal.EXPIRED, found.expires_at
    if found.disabled_at:
        return Refusal.DISABLED, found.disabled_at
    if found.service_account_disabled_at:
        return Refusal.SERVICE_ACCOUNT_DISABLED, found.service_account_disabled_at
    if not found.api_access_enabled:
        return Refusal.API_ACCESS_DISABLED, None
    return None, None

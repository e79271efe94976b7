"""A credential cannot create more authority than it has."""

from collections.abc import Iterable
from datetime import datetime

from apikeys.models import ApiKey
from apikeys.tokens import Environment
from organizations.actors import Actor
from organizations.exceptions import ErrorCode, Forbidden, Invalid, Problem


def require_held(actor: Actor, scopes: Iterable[str]) -> None:
    """Refuses to hand out scopes that the acting key does not hold."""
    if actor.scopes is None:
        return
    lacking = [scope for scope in scopes if scope not in actor.scopes]
    if lacking:
        message = (
            f"This API key cannot hand out scopes that it does not hold: {', '.join(lacking)}."
        )
        raise _refusal("scopes", message, ErrorCode.INSUFFICIENT_SCOPE)


def require_not_outliving(actor: Actor, expires_at: datetime | None) -> None:
    """Refuses an end later than the acting key's own."""
    own = actor.expires_at
    if own is not None and (expires_at is None or expires_at > own):
        message = (
            f"This API key expires at {own:%Y-%m-%dT%H:%M:%SZ}; choose that moment or earlier."
        )
        raise _refusal("expires_at", message, ErrorCode.EXCEEDS_OWN_EXPIRY)


def require_within(actor: Actor, key: ApiKey) -> None:
    """Refuses to give out or bring back the whole authority of a key beyond the acting key's."""
    require_held(actor, key.scopes)
    require_not_outliving(actor, key.expires_at)


def choose_environment(actor: Actor, wanted: str | None) -> Environment:
    """The wanted environment or the maker's; a test key makes test keys only."""
    chosen = wanted or actor.environment or Environment.LIVE
    if chosen not in list(Environment):
        raise Invalid.field("key_type", "Choose live or test.")
    environment = Environment(chosen)
    if actor.environment == Environment.TEST and environment is Environment.LIVE:
        message = "A test key makes test keys only; use a live key."
        raise _refusal("key_type", message, ErrorCode.LIVE_KEY_REQUIRED)
    return environment


def require_live(actor: Actor) -> None:
    """Refuses test keys where what they change would reach live keys."""
    if actor.environment == Environment.TEST:
        message = "Test keys cannot change this; use a live key."
        raise Forbidden(message, code=ErrorCode.LIVE_KEY_REQUIRED)


def _refusal(field: str, message: str, code: ErrorCode) -> Forbidden:
    return Forbidden(message, code=code, problems=[Problem(field, code, message)])

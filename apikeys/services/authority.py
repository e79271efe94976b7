"""Rules that keep an API key from granting more authority than it has."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from apikeys.models import ApiKey
from apikeys.tokens import Environment
from core.actors import Actor
from core.exceptions import ErrorCode, Forbidden, Invalid, Problem
from core.revocation_wait import wait_for_earlier
from core.timestamps import rfc3339
from organizations.models import Organization, ServiceAccount

#: An end as a point in time, or a lifetime in days.
T = TypeVar("T", datetime, int)


def require_scopes_within(actor: Actor, scopes: Iterable[str]) -> None:
    """Refuses to hand out scopes that the acting key does not hold."""
    if actor.scopes is None:
        return
    missing = [scope for scope in scopes if scope not in actor.scopes]
    if missing:
        message = (
            f"This API key cannot hand out scopes that it does not hold: {', '.join(missing)}."
        )
        raise _refusal("scopes", message, ErrorCode.INSUFFICIENT_SCOPE)


def require_expiry_within(actor: Actor, expires_at: datetime | None) -> None:
    """Refuses an end later than that of the acting key or of its secret's overlap."""
    own_end = actor.expires_at
    if own_end is not None and ends_later(own_end, expires_at):
        message = f"This credential works until {rfc3339(own_end)}; choose that moment or earlier."
        raise _refusal("expires_at", message, ErrorCode.EXCEEDS_OWN_EXPIRY)


def require_key_within(actor: Actor, key: ApiKey) -> None:
    """Refuses keys whose scopes or expiry exceed the acting key's."""
    require_scopes_within(actor, key.scopes)
    require_lifetime_within(actor, key)


def require_lifetime_within(actor: Actor, key: ApiKey) -> None:
    """Refuses a key that would keep working when the acting key has stopped."""
    require_expiry_within(actor, key.expires_at)
    _require_same_service_account(actor, key.service_account_id)


def widens_authority(key: ApiKey, changes: Mapping[str, Any]) -> bool:
    """Whether `changes` let the key do more, work longer, or work again."""
    if set(changes.get("scopes", key.scopes)) - set(key.scopes):
        return True
    if ends_later(key.expires_at, changes.get("expires_at", key.expires_at)):
        return True
    return bool(changes.get("enabled")) and not key.enabled


def ends_later(old: T | None, new: T | None) -> bool:
    """Whether a new end or lifetime is longer than the old one; None is without end."""
    return old is not None and (new is None or new > old)


def choose_service_account(
    actor: Actor, requested: ServiceAccount | None, organization: Organization
) -> ServiceAccount | None:
    """The requested one, if it is enabled and of the organization, or else the actor's own.

    A key of a service account works for that account alone: what it creates stops with it. With the
    organization locked, the account is read again: it may have been deleted meanwhile.
    """
    own_id = actor.service_account_id
    if requested is None:
        return ServiceAccount.objects.get(pk=own_id) if own_id else None
    own = ServiceAccount.objects.for_organization(organization.id).undeleted()
    current = own.filter(pk=requested.pk).first()
    if current is None or not current.enabled:
        wait_for_earlier(organization.id)
        raise invalid_service_account()
    _require_same_service_account(actor, current.id)
    return current


def invalid_service_account() -> Invalid:
    """The one refusal of an account that is absent, disabled or another organization's."""
    message = "Unknown or disabled service account."
    return Invalid.field("service_account", message)


def _require_same_service_account(actor: Actor, service_account_id: UUID | None) -> None:
    if actor.service_account_id not in (None, service_account_id):
        message = "A key of a service account works for keys of that account alone."
        raise _refusal("service_account", message, ErrorCode.OTHER_SERVICE_ACCOUNT)


def choose_environment(actor: Actor, requested: str | None) -> Environment:
    """The requested environment or the creator's; a test key creates test keys only."""
    chosen = requested or actor.environment or Environment.LIVE
    if chosen not in list(Environment):
        raise Invalid.field("key_type", "Choose live or test.")
    environment = Environment(chosen)
    if actor.environment == Environment.TEST and environment is Environment.LIVE:
        message = "A test key makes test keys only; use a live key."
        raise _refusal("key_type", message, ErrorCode.LIVE_KEY_REQUIRED)
    return environment


def require_live(actor: Actor) -> None:
    """Rejects test keys if the change would affect live keys."""
    if actor.environment == Environment.TEST:
        message = "Test keys cannot change this; use a live key."
        raise Forbidden(message, code=ErrorCode.LIVE_KEY_REQUIRED)


def _refusal(field: str, message: str, code: ErrorCode) -> Forbidden:
    return Forbidden(message, code=code, problems=[Problem(field, code, message)])

"""Writes to keys: create and revoke, and what changing and rotating share with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from apikeys import allowance, conf, tokens
from apikeys.events import KeyEvent
from apikeys.models import ApiKey, ApiKeySecret
from apikeys.scopes import default_scopes
from apikeys.services import authority
from apikeys.services.submissions import Attempt, remember, require_first
from apikeys.validation import clean_fields
from organizations import audit, policy
from organizations.actors import Actor, ActorKind
from organizations.exceptions import Conflict, ErrorCode, NotFound
from organizations.models import Organization, ServiceAccount
from organizations.roles import Action
from organizations.text import clean_text, name_key
from organizations.withdrawal import withdraw, withdraw_again
from organizations.writes import conflict_on, operation


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and its new secret: the only place where the secret exists in plain text.

    `previous_ends_at` is the end of the older secret's overlap after a rotation.
    """

    key: ApiKey
    secret: str = field(repr=False)
    previous_ends_at: datetime | None = None

    @property
    def prefix(self) -> str:
        """The displayed part of the secret."""
        return self.key.key_prefix

    @property
    def overlaps(self) -> bool:
        """Whether the older secret still works."""
        return self.previous_ends_at is not None and self.previous_ends_at > timezone.now()


@operation()
def create_api_key(
    *,
    organization: Organization,
    actor: Actor,
    name: str,
    scopes: list[str] | None = None,
    environment: str | None = None,
    expires_at: datetime | None = None,
    description: str = "",
    metadata: Mapping[str, str] | None = None,
    service_account: ServiceAccount | None = None,
    submission: Attempt | None = None,
) -> Issued:
    """A new key with its first secret.

    Without `scopes` the key gets all that the actor may hand out, except managing keys; without
    `environment` the actor's own, or live. A `submission` makes one key however often it is sent.
    Raises Invalid, Forbidden, or Conflict for a taken name and at the limit of keys; what
    `require_first` does where the form or the call was sent before.
    """
    policy.require(actor, Action.MANAGE_KEYS, organization)
    require_first(organization.id, actor, submission)
    given = {
        "name": name,
        "description": description,
        "metadata": {} if metadata is None else metadata,
        "expires_at": expires_at,
        "scopes": default_scopes(conf.scopes(), actor.scopes) if scopes is None else scopes,
    }
    key = ApiKey(
        organization=organization,
        service_account=authority.choose_service_account(actor, service_account, organization),
        environment=authority.choose_environment(actor, environment),
        created_by_id=actor.authority_id,
        created_by_key_id=actor.id if actor.kind is ActorKind.KEY else None,
        **clean_fields(given),
    )
    authority.require_within(actor, key)
    _require_room(organization)
    save_named(key)
    secret = issue_secret(key)
    remember(organization.id, actor, submission, key.current_secret)
    details = {"prefix": key.key_prefix, "scopes": key.scopes, "environment": key.environment}
    audit.record(KeyEvent.CREATED, key, actor=actor, details=details)
    return Issued(key, secret)


def _require_room(organization: Organization) -> None:
    """Conflict if the organization has as many keys as it may have.

    Others who make one wait until this transaction ends, so that each counts what is there.
    SQLite's writers take turns as it is.
    """
    if not allowance.limit_of(organization):
        return
    current = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    reason = allowance.exhausted(current, ApiKey.objects.for_organization(current.pk))
    if reason:
        raise Conflict(reason, code=ErrorCode.KEY_LIMIT_REACHED)


def save_named(key: ApiKey) -> None:
    """Saves the key under its name; Conflict where another unrevoked key has it."""
    key.name_key = name_key(key.name)
    message = f"A key named “{key.name}” already exists. Choose another name."
    taken = Conflict(message, code=ErrorCode.NAME_TAKEN)
    with conflict_on("one_live_key_per_name", "name_key", taken):
        key.save()


def issue_secret(key: ApiKey) -> str:
    """Makes the current secret of `key` and returns its plain text."""
    secret = tokens.generate(conf.brand(), tokens.Environment(key.environment))
    peppers = conf.peppers()
    key.current_secret = ApiKeySecret.objects.create(
        key=key,
        digest=peppers.digest(secret, peppers.newest),
        pepper=peppers.newest,
        prefix=tokens.displayed_prefix(secret),
    )
    return secret


def locked(key: ApiKey, actor: Actor) -> ApiKey:
    """The key as it is now, kept from other writers, if the actor may see and manage it."""
    policy.require(actor, Action.MANAGE_KEYS, key.organization)
    current = (
        ApiKey.objects.visible_to(actor)
        .for_organization(key.organization_id)
        .select_for_update()
        .filter(pk=key.pk)
        .first()
    )
    if current is None:
        raise NotFound
    return current


def require_not_revoked(key: ApiKey) -> None:
    """Refuses whatever is too late for a revoked key."""
    if key.revoked_at:
        message = "This key is revoked, which is final. Create a new key instead."
        raise Conflict(message, code=ErrorCode.KEY_REVOKED)


@operation()
def revoke_api_key(key: ApiKey, *, actor: Actor, reason: str = "") -> ApiKey:
    """Ends a key for good, from the next call on. A revoked key stays as it is: no error.

    Invalid for a `reason` that the audit trail must not keep, such as one with the secret in it.
    """
    key = locked(key, actor)
    reason = clean_text(reason, "reason")
    if key.revoked_at:
        withdraw_again(key.revoked_at)
    else:
        key.revoked_at = key.updated_at = timezone.now()
        key.save(update_fields=["revoked_at", "updated_at"])
        withdraw()
        details = {"reason": reason} if reason else {}
        audit.record(KeyEvent.REVOKED, key, actor=actor, details=details)
    return key

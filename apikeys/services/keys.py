"""Creates keys. Also has helpers for changing and rotating them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from apikeys import conf, tokens
from apikeys.events import KeyEvent
from apikeys.models import ApiKey, ApiKeySecret
from apikeys.scopes import default_scopes
from apikeys.services import authority, key_emails, key_limit
from apikeys.services.acting import lock_organization
from apikeys.services.idempotency import IdempotencyToken, claim, require_unused, store_result
from apikeys.validation import clean_fields
from core.actors import Actor, ActorKind
from core.exceptions import Conflict, ErrorCode, NotFound
from core.revocation_wait import wait_for_earlier
from core.text import name_key
from core.transactions import conflict_on, operation
from organizations import audit
from organizations.models import Organization, ServiceAccount
from organizations.roles import Action


@dataclass(frozen=True, slots=True)
class Issued:
    """A key and its new secret, the only place with the secret in plain text.

    `previous_ends_at` is when the older secret's overlap ends after a rotation.
    """

    key: ApiKey
    secret: str = field(repr=False)
    previous_ends_at: datetime | None = None

    @property
    def prefix(self) -> str:
        """The display prefix of the secret."""
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
    submission: IdempotencyToken | None = None,
) -> Issued:
    """Creates a key with its first secret.

    Without `scopes` the key gets all that the actor may hand out, except managing keys; without
    `environment` the actor's own, or live. A `submission` makes one key however often it is sent.
    Raises Invalid, Forbidden, or Conflict for a taken name and at the limit of keys; what
    `require_unused` does where the form or the call was sent before.
    """
    claim(organization.id, actor, submission)
    organization, actor = lock_organization(organization, actor, Action.MANAGE_KEYS)
    require_unused(organization.id, actor, submission)
    values = {
        "name": name,
        "description": description,
        "metadata": {} if metadata is None else metadata,
        "expires_at": expires_at,
        "scopes": default_scopes(conf.scopes(), actor.scopes) if scopes is None else scopes,
    }
    key = _new_key(organization, actor, environment, service_account, values)
    _require_below_limit(organization)
    save_named(key)
    secret = issue_secret(key)
    store_result(organization.id, actor, submission, key.current_secret)
    _tell_of_new_key(key, actor)
    return Issued(key, secret)


def _new_key(
    organization: Organization,
    actor: Actor,
    environment: str | None,
    service_account: ServiceAccount | None,
    values: Mapping[str, Any],
) -> ApiKey:
    """The unsaved key, within the actor's authority. `values` are not yet cleaned."""
    key = ApiKey(
        organization=organization,
        service_account=authority.choose_service_account(actor, service_account, organization),
        environment=authority.choose_environment(actor, environment),
        created_by_id=actor.authority_id,
        created_by_key_id=actor.id if actor.kind is ActorKind.KEY else None,
        **clean_fields(values),
    )
    authority.require_key_within(actor, key)
    return key


def _tell_of_new_key(key: ApiKey, actor: Actor) -> None:
    """Records the audit event, and emails those who want to know."""
    details = {"prefix": key.key_prefix, "scopes": key.scopes, "environment": key.environment}
    audit.record(KeyEvent.CREATED, key, actor=actor, details=details)
    key_emails.created(key, actor=actor)


def _require_below_limit(organization: Organization) -> None:
    """Conflict if the organization, which is locked, has as many keys as it may have."""
    keys = ApiKey.objects.for_organization(organization.pk)
    message = key_limit.reached_message(organization, keys)
    if message:
        raise Conflict(message, code=ErrorCode.KEY_LIMIT_REACHED)


def save_named(key: ApiKey) -> None:
    """Saves the key. Conflict if another live key has its name."""
    key.name_key = name_key(key.name)
    message = f"A key named “{key.name}” already exists. Choose another name."
    taken = Conflict(message, code=ErrorCode.NAME_TAKEN)
    with conflict_on("one_live_key_per_name", "name_key", taken):
        key.save()


def issue_secret(key: ApiKey) -> str:
    """Creates the current secret of `key` and returns it in plain text."""
    secret = tokens.generate(conf.brand(), tokens.Environment(key.environment))
    peppers = conf.peppers()
    key.current_secret = ApiKeySecret.objects.create(
        key=key,
        digest=peppers.digest(secret, peppers.newest),
        pepper=peppers.newest,
        prefix=tokens.displayed_prefix(secret),
    )
    return secret


def lock_key(key: ApiKey, actor: Actor) -> tuple[ApiKey, Actor]:
    """The key and the actor as they are now, kept from other writers, if the actor may manage it.

    Every operation locks the organization first, so that operations can't deadlock.
    """
    _, actor = lock_organization(key.organization, actor, Action.MANAGE_KEYS)
    current = (
        ApiKey.objects.visible_to(actor)
        .for_organization(key.organization_id)
        .select_for_update(no_key=True)  # doesn't wait for rows that reference the key
        .filter(pk=key.pk)
        .first()
    )
    if current is None:
        raise NotFound
    return current, actor


def require_not_revoked(key: ApiKey) -> None:
    """Raises Conflict for a revoked key, after its revocation is in force."""
    if key.revoked_at:
        wait_for_earlier(key.organization_id)
        message = "This key has been revoked and can't be restored. Create a new key instead."
        raise Conflict(message, code=ErrorCode.KEY_REVOKED)

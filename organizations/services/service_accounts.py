"""Writes to service accounts."""

from datetime import datetime

from django.utils import timezone

from core.actors import Actor
from core.exceptions import Conflict, ErrorCode, NotFound, require_unchanged
from core.revocation_wait import limit_waiting, require_wait
from core.text import clean_name, clean_text, name_key
from core.transactions import conflict_on, operation
from organizations import audit, policy
from organizations.events import OrganizationEvent
from organizations.models import Organization, ServiceAccount
from organizations.roles import Action
from organizations.services.organizations import locked


@operation()
def create_service_account(
    organization: Organization, *, name: str, description: str = "", actor: Actor
) -> ServiceAccount:
    """Conflict if the name is taken."""
    policy.require(actor, Action.MANAGE_SERVICE_ACCOUNTS, organization)
    account = ServiceAccount(organization=organization, created_by_id=actor.authority_id)
    _save(account, clean_name(name), clean_text(description, "description"))
    audit.record(OrganizationEvent.SERVICE_ACCOUNT_CREATED, account, actor=actor)
    return account


@operation()
def update_service_account(
    account: ServiceAccount,
    *,
    name: str,
    description: str,
    actor: Actor,
    seen_at: datetime | None = None,
) -> ServiceAccount:
    """Changes name and description. Conflict if the name is taken.

    Conflict too if the account has changed since `seen_at`, the `updated_at` that the actor saw.
    """
    account = _locked(account, actor)
    require_unchanged(account.updated_at, seen_at, "service account")
    old = {"name": account.name, "description": account.description}
    new = {"name": clean_name(name), "description": clean_text(description, "description")}
    changes = {field: [old[field], new[field]] for field in old if old[field] != new[field]}
    if changes:
        _save(account, **new)
        event = OrganizationEvent.SERVICE_ACCOUNT_UPDATED
        audit.record(event, account, actor=actor, details=changes)
    return account


@limit_waiting()
@operation()
def set_service_account_enabled(
    account: ServiceAccount, *, enabled: bool, actor: Actor
) -> ServiceAccount:
    """Rejects or allows all keys of a service account, from the next request on."""
    account = _locked(account, actor)
    if not enabled:
        require_wait()  # even if it is off already: a concurrent request may have just done it
    if account.enabled != enabled:
        account.disabled_at = None if enabled else timezone.now()
        account.save(update_fields=["disabled_at", "updated_at"])
        event = OrganizationEvent.SERVICE_ACCOUNT_DISABLED
        if enabled:
            event = OrganizationEvent.SERVICE_ACCOUNT_ENABLED
        audit.record(event, account, actor=actor)
    return account


def _locked(account: ServiceAccount, actor: Actor) -> ServiceAccount:
    """Locks the organization first, as for its keys: writers of keys read the account.

    NotFound for one that was deleted meanwhile.
    """
    locked(account.organization, Action.MANAGE_SERVICE_ACCOUNTS, actor)
    current = ServiceAccount.objects.undeleted().select_for_update().filter(pk=account.pk).first()
    if current is None:
        raise NotFound
    return current


def _save(account: ServiceAccount, name: str, description: str) -> None:
    account.name, account.name_key, account.description = name, name_key(name), description
    message = f"A service account named “{name}” already exists. Choose another name."
    taken = Conflict(message, code=ErrorCode.NAME_TAKEN)
    with conflict_on("one_service_account_per_name", "name_key", taken):
        account.save()

"""Deletes service accounts. Their other writes need no keys: see `organizations.services`."""

from django.utils import timezone

from apikeys.models import ApiKey
from apikeys.services.acting import lock_organization
from core.actors import Actor
from core.exceptions import Conflict, NotFound
from core.revocation_wait import wait_for_earlier
from core.transactions import operation
from organizations import audit
from organizations.events import OrganizationEvent
from organizations.models import ServiceAccount
from organizations.roles import Action


@operation()
def delete_service_account(account: ServiceAccount, *, actor: Actor) -> ServiceAccount:
    """Deletes an account that has only revoked keys, which stay. Its name can be used again.

    Conflict while it has others, even disabled or expired ones. NotFound if it is already deleted.
    """
    organization, actor = lock_organization(
        account.organization, actor, Action.MANAGE_SERVICE_ACCOUNTS
    )
    current = ServiceAccount.objects.undeleted().select_for_update().filter(pk=account.pk).first()
    if current is None:
        raise NotFound
    _require_no_keys(current)
    wait_for_earlier(organization.id)  # success says that all of its keys are revoked
    now = timezone.now()
    current.deleted_at, current.disabled_at = now, current.disabled_at or now
    current.save(update_fields=["deleted_at", "disabled_at", "updated_at"])
    audit.record(OrganizationEvent.SERVICE_ACCOUNT_DELETED, current, actor=actor)
    return current


def _require_no_keys(account: ServiceAccount) -> None:
    """Keys can't be created meanwhile: the organization is locked."""
    keys = ApiKey.objects.for_organization(account.organization_id).unrevoked()
    number = keys.filter(service_account_id=account.pk).count()
    if number:
        keys_left = "1 key" if number == 1 else f"{number:,} keys"
        them = "it" if number == 1 else "them"
        raise Conflict(f"“{account.name}” still has {keys_left}. Delete {them} first.")

"""The acting API key as of now, not as of the beginning of the request.

A body may arrive long after the key was verified. So each write locks its organization, which
revocations do too, and reads the acting key again (docs/adr/0019).
"""

from django.utils import timezone

from apikeys.verification.query import read_again
from apikeys.verification.types import Refusal, Verification, VerifiedKey
from apikeys.verification.verify import find_refusal
from core.actors import Actor, ActorKind, RequestContext
from core.exceptions import ErrorCode, Forbidden
from organizations import policy
from organizations.models import Organization
from organizations.roles import Action


class CredentialRefused(Forbidden):
    """The acting key is no longer valid. `outcome` has the reason."""

    default_code = ErrorCode.FORBIDDEN

    def __init__(self, outcome: Verification) -> None:
        super().__init__("This API key can no longer do this.")
        self.outcome = outcome


def actor_of(key: VerifiedKey, origin: RequestContext) -> Actor:
    """The key as an actor, with the limits of its authority."""
    return Actor(
        kind=ActorKind.KEY,
        id=key.key_id,
        authority_id=key.created_by_id,
        label=f"{key.name} ({key.prefix}…)",
        organization_id=key.organization_id,
        scopes=frozenset(key.scopes),
        environment=key.environment,
        service_account_id=key.service_account_id,
        expires_at=key.usable_until,
        secret_id=key.secret_id,
        origin=origin,
    )


def lock_organization(
    organization: Organization, actor: Actor, action: Action
) -> tuple[Organization, Actor]:
    """Both as they are now, if the actor may do `action`; inside an operation, before its writes.

    Other writers to the organization's keys, and revocations of the actor's authority, wait until
    the transaction ends. Raises CredentialRefused, and what the policy raises.
    """
    locked = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    actor = _current(actor)
    policy.require(actor, action, locked)
    return locked, actor


def _current(actor: Actor) -> Actor:
    if actor.kind is not ActorKind.KEY:
        return actor
    key = read_again(actor.secret_id) if actor.secret_id else None
    if key is None:
        raise CredentialRefused(Verification(None, Refusal.UNKNOWN))
    refusal, since = find_refusal(key, timezone.now())
    if refusal:
        raise CredentialRefused(Verification(key, refusal, since))
    return actor_of(key, actor.origin)

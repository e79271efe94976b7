"""Authorization: every permission check. Raises NotFound or Forbidden."""

from core.actors import Actor, ActorKind
from core.exceptions import Forbidden, LacksScope, NotFound
from organizations.models import Membership, Organization, User
from organizations.roles import ALLOWED, KEY_SCOPES, STAFF_ONLY, Action, Role


def require(actor: Actor, action: Action, organization: Organization) -> None:
    """Raises unless `actor` may do `action` in `organization`.

    NotFound if the actor may not know of the organization, otherwise Forbidden.
    """
    if actor.kind is ActorKind.PERSON:
        _require_role(actor, action, organization)
    elif actor.kind is ActorKind.KEY:
        _require_own_scope(actor, action, organization)
    else:
        require_staff(actor)


def require_scope(actor: Actor, scope: str) -> None:
    """Raises LacksScope unless the key has `scope`."""
    if scope not in (actor.scopes or ()):
        raise LacksScope(scope)


def require_may_create_organization(actor: Actor) -> None:
    """Raises Forbidden unless `actor` may create organizations. API keys may not."""
    if actor.kind is ActorKind.KEY:
        raise Forbidden("API keys can't do this. Ask a person to do it.")
    if actor.kind is not ActorKind.PERSON:
        require_staff(actor)


def require_staff(actor: Actor) -> None:
    """Raises Forbidden unless `actor` may manage other people's accounts.

    Staff are read again: an account may have been deactivated since the request began.
    """
    if actor.kind is ActorKind.SYSTEM:
        return
    if actor.kind is not ActorKind.STAFF or not _is_staff(actor):
        raise Forbidden("Only staff can do this.")


def _is_staff(actor: Actor) -> bool:
    staff = User.objects.filter(is_active=True, is_staff=True)
    return staff.filter(pk=actor.principal_id).exists()


def require_person(actor: Actor) -> User:
    """The active person behind `actor`, for what only that person may do."""
    if actor.kind is not ActorKind.PERSON:
        raise Forbidden("Only the person themselves can do this.")
    person = User.objects.filter(pk=actor.principal_id, is_active=True).first()
    if person is None:
        raise NotFound
    return person


def _require_role(actor: Actor, action: Action, organization: Organization) -> None:
    role = (
        Membership.objects.visible_to(actor)
        .for_organization(organization.id)
        .filter(user_id=actor.principal_id)
        .values_list("role", flat=True)
        .first()
    )
    if role is None:
        raise NotFound
    if action in STAFF_ONLY:
        raise Forbidden("Only support can change that.")
    if action not in ALLOWED[Role(role)]:
        raise Forbidden("Only admins of this organization can do that.")


def _require_own_scope(actor: Actor, action: Action, organization: Organization) -> None:
    if actor.organization_id != organization.id:
        raise NotFound
    if action not in KEY_SCOPES:
        raise Forbidden("API keys can't do this. Ask a person to do it.")
    scope = KEY_SCOPES[action]
    if scope is not None:
        require_scope(actor, scope)

"""Writes to organizations."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.text import slugify

from core import ids
from core.actors import Actor
from core.exceptions import Conflict, Invalid, require_unchanged
from core.revocation_wait import limit_waiting, require_wait
from core.transactions import operation
from organizations import audit, policy
from organizations.email_names import clean_mailed_name
from organizations.events import OrganizationEvent
from organizations.models import KEY_PERIODS, MOST_KEYS, Membership, Organization, User
from organizations.roles import Action, Role

#: An admin of this many open organizations can't create another one.
MOST_ORGANIZATIONS: Final = 20


def locked(organization: Organization, action: Action, actor: Actor) -> Organization:
    """The current organization, locked for writing, if `action` is allowed.

    Locks first, so that an admin whom a concurrent request just removed is rejected.
    """
    current = Organization.objects.select_for_update().get(pk=organization.pk)
    policy.require(actor, action, current)
    return current


@operation()
def create_organization(*, name: str, admin: User, actor: Actor) -> Organization:
    """Creates an organization with its first admin. The slug is made from the name."""
    policy.require_may_create_organization(actor)
    name = clean_mailed_name(name)
    organization = Organization.objects.create(name=name, slug=_free_slug(name))
    Membership.objects.create(organization=organization, user=admin, role=Role.ADMIN)
    audit.record(
        OrganizationEvent.CREATED, organization, actor=actor, details={"admin": admin.public_id}
    )
    return organization


@operation()
def create_own_organization(*, name: str, actor: Actor) -> Organization:
    """Creates an organization for the acting person. Conflict above the limit."""
    person = policy.require_person(actor)
    User.objects.select_for_update().get(pk=person.pk)  # counts concurrent requests too
    own = Membership.objects.admins().visible_to(actor).filter(user=person)  # the open ones
    if own.count() >= MOST_ORGANIZATIONS:
        raise Conflict(f"You are already an admin of {MOST_ORGANIZATIONS} organizations.")
    return create_organization(name=name, admin=person, actor=actor)


def _free_slug(name: str) -> str:
    """The slug of a name, with random characters if it is taken or empty."""
    slug = slugify(name)[:40].strip("-")
    if slug and not Organization.objects.filter(slug=slug).exists():
        return slug
    return f"{slug or 'organization'}-{ids.new_id().hex[-8:]}"


@operation()
def rename_organization(
    organization: Organization, *, name: str, actor: Actor, seen_at: datetime | None = None
) -> Organization:
    """Changes the name. The slug stays, because URLs contain it.

    `seen_at` is the `updated_at` that the actor saw. Conflict if it has changed since.
    """
    organization = locked(organization, Action.RENAME_ORGANIZATION, actor)
    require_unchanged(organization.updated_at, seen_at, "organization")
    old = organization.name
    organization.name = old if name == old else clean_mailed_name(name)
    if old != organization.name:
        organization.save(update_fields=["name", "updated_at"])
        details = {"name": [old, organization.name]}
        audit.record(OrganizationEvent.RENAMED, organization, actor=actor, details=details)
    return organization


@operation()
def set_default_expiry(
    organization: Organization, *, days: int | None, actor: Actor, seen_at: datetime | None = None
) -> Organization:
    """Sets the expiry that the page for a new key preselects. None means never.

    `days` is one of KEY_PERIODS. `seen_at` is as for `rename_organization`.
    """
    organization = locked(organization, Action.SET_DEFAULT_EXPIRY, actor)
    require_unchanged(organization.updated_at, seen_at, "organization")
    if days is not None and days not in KEY_PERIODS:
        known = ", ".join(map(str, KEY_PERIODS))
        raise Invalid.field("default_key_days", f"Choose one of {known} days, or never.")
    old, organization.default_key_days = organization.default_key_days, days
    if old != days:
        organization.save(update_fields=["default_key_days", "updated_at"])
        event = OrganizationEvent.DEFAULT_EXPIRY_CHANGED
        details = {"default_key_days": [old, days]}
        audit.record(event, organization, actor=actor, details=details)
    return organization


@limit_waiting()
@operation()
def close_organization(organization: Organization, *, actor: Actor) -> Organization:
    """Turns API access off and closes the organization's pages to its members.

    Every key is rejected from the next request on. Nothing is deleted, so that staff can reopen it.
    """
    organization = locked(organization, Action.CLOSE_ORGANIZATION, actor)
    require_wait()  # even if it is closed already: a concurrent request may have just done it
    if organization.closed_at is None:
        was_enabled, organization.api_access_enabled = organization.api_access_enabled, False
        organization.closed_at = timezone.now()
        organization.save(update_fields=["closed_at", "api_access_enabled", "updated_at"])
        details = {"api_access_enabled": [was_enabled, False]}
        audit.record(OrganizationEvent.CLOSED, organization, actor=actor, details=details)
    return organization


@operation()
def reopen_organization(organization: Organization, *, actor: Actor) -> Organization:
    """Shows a closed organization to its members again. API access stays off.

    Staff turn it on separately, once they know that the keys are still in the right hands.
    """
    organization = locked(organization, Action.REOPEN_ORGANIZATION, actor)
    if organization.closed_at is not None:
        organization.closed_at = None
        organization.save(update_fields=["closed_at", "updated_at"])
        audit.record(OrganizationEvent.REOPENED, organization, actor=actor)
    return organization


@limit_waiting()
@operation()
def set_api_access(organization: Organization, *, enabled: bool, actor: Actor) -> Organization:
    """Allows or rejects all of the organization's API keys, from the next request on.

    Conflict if access would be turned on for a closed organization.
    """
    organization = locked(organization, Action.SET_API_ACCESS, actor)
    if enabled and organization.closed_at:
        raise Conflict("This organization is closed. Reopen it first.")
    if not enabled:
        require_wait()  # even if it is off already: a concurrent request may have just done it
    if organization.api_access_enabled != enabled:
        organization.api_access_enabled = enabled
        organization.save(update_fields=["api_access_enabled", "updated_at"])
        on, off = OrganizationEvent.API_ACCESS_ENABLED, OrganizationEvent.API_ACCESS_DISABLED
        audit.record(on if enabled else off, organization, actor=actor)
    return organization


@limit_waiting()
@operation()
def set_rate_limit_tier(organization: Organization, *, tier: str, actor: Actor) -> Organization:
    """Sets a tier of `settings.RATE_LIMIT_TIERS`."""
    organization = locked(organization, Action.SET_TIER, actor)
    if tier not in settings.RATE_LIMIT_TIERS:
        known = ", ".join(settings.RATE_LIMIT_TIERS)
        raise Invalid.field("rate_limit_tier", f"Choose one of these tiers: {known}.")
    old, organization.rate_limit_tier = organization.rate_limit_tier, tier
    require_wait()  # always: this or a concurrent call may have lowered the tier
    if old != tier:
        organization.save(update_fields=["rate_limit_tier", "updated_at"])
        details = {"rate_limit_tier": [old, tier]}
        audit.record(OrganizationEvent.TIER_CHANGED, organization, actor=actor, details=details)
    return organization


@operation()
def set_key_limit(organization: Organization, *, limit: int | None, actor: Actor) -> Organization:
    """Sets the key limit. 0 means unlimited, None the default.

    Existing keys above a lower limit keep working. No more can be created until some are revoked.
    """
    organization = locked(organization, Action.SET_KEY_LIMIT, actor)
    if limit is not None and not 0 <= limit <= MOST_KEYS:
        raise Invalid.field("key_limit", f"Enter a whole number from 0 to {MOST_KEYS:,}.")
    old, organization.key_limit = organization.key_limit, limit
    if old != limit:
        organization.save(update_fields=["key_limit", "updated_at"])
        details = {"key_limit": [old, limit]}
        audit.record(
            OrganizationEvent.KEY_LIMIT_CHANGED, organization, actor=actor, details=details
        )
    return organization

"""Writes to organizations themselves."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils.text import slugify

from core import ids
from core.actors import Actor
from core.exceptions import Conflict, Invalid, require_unchanged
from core.revocation_wait import limit_waiting, require_wait
from core.transactions import operation
from organizations import audit, policy
from organizations.email_names import clean_mailed_name
from organizations.events import OrganizationEvent
from organizations.models import MOST_KEYS, Membership, Organization, User
from organizations.roles import Action, Role

#: Of how many organizations one person may be an admin and still make another.
MOST_ORGANIZATIONS: Final = 20


def locked(organization: Organization, action: Action, actor: Actor) -> Organization:
    """The organization as it is now, kept from other writers, if `action` is allowed.

    The lock comes first, so that an admin whom a racing request has just removed is refused.
    """
    current = Organization.objects.select_for_update().get(pk=organization.pk)
    policy.require(actor, action, current)
    return current


@operation()
def create_organization(*, name: str, admin: User, actor: Actor) -> Organization:
    """A new organization whose first admin is `admin`; its slug is made from its name."""
    policy.require_founder(actor)
    name = clean_mailed_name(name)
    organization = Organization.objects.create(name=name, slug=_free_slug(name))
    Membership.objects.create(organization=organization, user=admin, role=Role.ADMIN)
    audit.record(
        OrganizationEvent.CREATED, organization, actor=actor, details={"admin": admin.public_id}
    )
    return organization


@operation()
def found_organization(*, name: str, actor: Actor) -> Organization:
    """A new organization of the acting person; Conflict for the admin of too many."""
    person = policy.require_person(actor)
    User.objects.select_for_update().get(pk=person.pk)  # so that requests at once are counted
    if Membership.objects.admins().filter(user=person).count() >= MOST_ORGANIZATIONS:
        raise Conflict(f"You are an admin of {MOST_ORGANIZATIONS} organizations already.")
    return create_organization(name=name, admin=person, actor=actor)


def _free_slug(name: str) -> str:
    """The name as an address; with the end of a fresh id where that is taken or empty."""
    slug = slugify(name)[:40].strip("-")
    if slug and not Organization.objects.filter(slug=slug).exists():
        return slug
    return f"{slug or 'organization'}-{ids.new_id().hex[-8:]}"


@operation()
def rename_organization(
    organization: Organization, *, name: str, actor: Actor, seen_at: datetime | None = None
) -> Organization:
    """Changes the name; the slug stays, since addresses hold it.

    `seen_at` is the `updated_at` of what the actor has looked at: Conflict if it has changed since.
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


@limit_waiting()
@operation()
def set_api_access(organization: Organization, *, enabled: bool, actor: Actor) -> Organization:
    """Opens or closes the API to every key of the organization, from the next call on."""
    organization = locked(organization, Action.SET_API_ACCESS, actor)
    if not enabled:
        require_wait()  # even if it is off already: another call may have done so a moment ago
    if organization.api_access_enabled != enabled:
        organization.api_access_enabled = enabled
        organization.save(update_fields=["api_access_enabled", "updated_at"])
        on, off = OrganizationEvent.API_ACCESS_ENABLED, OrganizationEvent.API_ACCESS_DISABLED
        audit.record(on if enabled else off, organization, actor=actor)
    return organization


@limit_waiting()
@operation()
def set_rate_limit_tier(organization: Organization, *, tier: str, actor: Actor) -> Organization:
    """Moves the organization to a tier of `settings.RATE_LIMIT_TIERS`."""
    organization = locked(organization, Action.SET_TIER, actor)
    if tier not in settings.RATE_LIMIT_TIERS:
        known = ", ".join(settings.RATE_LIMIT_TIERS)
        raise Invalid.field("rate_limit_tier", f"Choose one of these tiers: {known}.")
    old, organization.rate_limit_tier = organization.rate_limit_tier, tier
    require_wait()  # the new tier may be lower, or another call have lowered it a moment ago
    if old != tier:
        organization.save(update_fields=["rate_limit_tier", "updated_at"])
        details = {"rate_limit_tier": [old, tier]}
        audit.record(OrganizationEvent.TIER_CHANGED, organization, actor=actor, details=details)
    return organization


@operation()
def set_key_limit(organization: Organization, *, limit: int | None, actor: Actor) -> Organization:
    """Allows the organization so many keys, 0 for any number, None for what the settings say.

    Keys beyond a lower limit stay and go on working; there are just no more until some are revoked.
    """
    organization = locked(organization, Action.SET_KEY_LIMIT, actor)
    if limit is not None and not 0 <= limit <= MOST_KEYS:
        raise Invalid.field("key_limit", f"Give a whole number from 0 to {MOST_KEYS:,}.")
    old, organization.key_limit = organization.key_limit, limit
    if old != limit:
        organization.save(update_fields=["key_limit", "updated_at"])
        details = {"key_limit": [old, limit]}
        audit.record(
            OrganizationEvent.KEY_LIMIT_CHANGED, organization, actor=actor, details=details
        )
    return organization

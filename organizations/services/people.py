"""What staff do to people. People's own sign-up and settings are not here."""

from collections.abc import Sequence

from organizations import audit, policy
from organizations.actors import Actor
from organizations.events import OrganizationEvent
from organizations.models import User
from organizations.text import clean_name
from organizations.writes import operation


@operation()
def save_person(user: User, *, changed: Sequence[str], actor: Actor) -> User:
    """Saves a new or changed person; the event names the fields of `changed`, not their values.

    Raises Forbidden for anybody but staff, Invalid for a name that cannot be kept.
    """
    policy.require_staff(actor)
    adding = user.date_joined is None
    if adding or changed:
        user.name = clean_name(user.name) if user.name.strip() else ""
        user.save()
        if adding or "email" in changed:
            user.vouch_for_email()
        event = OrganizationEvent.PERSON_CREATED if adding else OrganizationEvent.PERSON_UPDATED
        fields = [field for field in changed if "password" not in field]
        audit.record(event, user, actor=actor, details={"fields": fields})
    return user


@operation()
def record_password_set(user: User, *, actor: Actor) -> None:
    """Leaves an event for a password that somebody else has set."""
    policy.require_staff(actor)
    audit.record(OrganizationEvent.PERSON_PASSWORD_SET, user, actor=actor)

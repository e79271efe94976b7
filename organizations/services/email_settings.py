"""Which emails a person gets, and the signed links that turn one kind off."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.core import signing

from core.actors import Actor, ActorKind
from core.exceptions import Invalid, NotFound
from core.transactions import operation
from organizations import audit, policy
from organizations.email_kinds import EmailKind, every_kind, find_kind
from organizations.events import OrganizationEvent
from organizations.models import User

_SALT: Final = "organizations.unsubscribe"


def unsubscribe_token(user_id: UUID, kind: EmailKind) -> str:
    """The end of a link that turns off one kind of emails. It doesn't expire: emails are kept."""
    return signing.dumps([str(user_id), kind.name], salt=_SALT)


def read_unsubscribe_token(token: str) -> tuple[User, EmailKind]:
    """The person and the kind. NotFound for forged tokens and for former people and kinds."""
    try:
        user_id, name = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise NotFound from None
    user, kind = User.objects.filter(pk=user_id, is_active=True).first(), find_kind(name)
    if user is None or kind is None:
        raise NotFound
    return user, kind


@operation()
def choose_emails(user: User, *, kinds: Collection[str], actor: Actor) -> User:
    """Sends the person these kinds of emails and no others.

    Raises Forbidden for anyone but the person and staff, Invalid for an unknown kind.
    """
    _require_own(user, actor)
    known = [kind.name for kind in every_kind()]
    if not set(kinds) <= set(known):
        raise Invalid.field("kinds", f"Choose from: {', '.join(known)}.")
    user = User.objects.select_for_update().get(pk=user.pk)
    unknown = [name for name in user.muted_emails if name not in known]
    return _mute(user, unknown + [name for name in known if name not in kinds], actor)


@operation()
def turn_off_emails(user: User, *, kind: EmailKind, actor: Actor) -> User:
    """Stops one kind of emails to the person, for the link in them. Does nothing if it is off."""
    _require_own(user, actor)
    user = User.objects.select_for_update().get(pk=user.pk)
    return _mute(user, [*user.muted_emails, kind.name], actor, by="email link")


def _require_own(user: User, actor: Actor) -> None:
    if actor.kind is ActorKind.PERSON and actor.id == user.id:
        policy.require_person(actor)
    else:
        policy.require_staff(actor)


def _mute(user: User, names: Collection[str], actor: Actor, **how: str) -> User:
    muted = sorted(set(names))
    if muted != user.muted_emails:
        user.muted_emails = muted
        user.save(update_fields=["muted_emails"])
        event = OrganizationEvent.PERSON_EMAILS_CHOSEN
        audit.record(event, user, actor=actor, details={"emails_off": muted, **how})
    return user

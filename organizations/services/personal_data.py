"""Exports everything that is stored about a person."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import Q

from core.actors import Actor, ActorKind
from core.transactions import operation
from organizations import audit, policy
from organizations.events import OrganizationEvent
from organizations.models import AuditEvent, Invitation, Membership, User

Rows = list[dict[str, Any]]
_contributors: Final[dict[str, Callable[[User], Rows]]] = {}


def contributes(name: str) -> Callable[[Callable[[User], Rows]], Callable[[User], Rows]]:
    """Decorator for functions that find another app's data about a person, under `name`."""

    def register(find: Callable[[User], Rows]) -> Callable[[User], Rows]:
        _contributors[name] = find
        return find

    return register


@operation()
def export_personal_data(user: User, *, actor: Actor) -> dict[str, Any]:
    """JSON-serializable data without secrets, seeds and digests.

    Raises Forbidden for anyone but the person and staff.
    """
    if actor.kind is ActorKind.PERSON and actor.id == user.id:
        policy.require_person(actor)
    else:
        policy.require_staff(actor)
    audit.record(OrganizationEvent.PERSON_EXPORTED, user, actor=actor)
    return {
        "profile": _profile(user),
        "email_addresses": _rows(
            EmailAddress.objects.filter(user=user), "email", "verified", "primary"
        ),
        "second_factors": _rows(
            Authenticator.objects.filter(user=user), "type", "created_at", "last_used_at"
        ),
        "sessions": _rows(
            UserSession.objects.filter(user=user), "created_at", "ip", "last_seen_at", "user_agent"
        ),
        "memberships": _rows(
            Membership.objects.filter(user=user), "organization__name", "role", "created_at"
        ),
        "invitations": _rows(
            Invitation.objects.filter(email__in=user.confirmed_emails()),
            *("organization__name", "role", "created_at", "accepted_at", "revoked_at"),
        ),
        "audit_events": _events(user),
        **{name: find(user) for name, find in _contributors.items()},
    }


def _profile(user: User) -> dict[str, Any]:
    return {
        "id": user.public_id,
        "email": user.email,
        "name": user.name,
        "active": user.is_active,
        "staff": user.is_staff,
        "joined_at": user.date_joined,
        "last_sign_in_at": user.last_login,
        "emails_off": user.muted_emails,
    }


def _events(user: User) -> Rows:
    """Events by and about the person. The IP addresses of other people are left out."""
    mine = Q(actor_id=user.id)
    about = Q(target_id=user.id) | Q(target_type="Membership", details__person=user.public_id)
    done = AuditEvent.objects.filter(mine).order_by("number")
    fields = ("at", "event", "target_type", "target_label", "details")
    own = _rows(done, *fields, "ip", "user_agent", "request_id")
    others = AuditEvent.objects.filter(about).exclude(actor_id=user.id).order_by("number")
    return own + _rows(others, *fields)


def _rows(found: Any, *fields: str) -> Rows:
    values: Iterable[dict[str, Any]] = found.values(*fields)
    return [{name.replace("__", "_"): value for name, value in row.items()} for row in values]

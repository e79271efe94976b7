"""Emails about keys that someone else created, rotated or deleted, and about uses of old secrets.

They go to the organization's admins and to the creator of each key, except to the person who acted,
after the commit and in the background. They never contain a secret.
"""

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apikeys.models import ApiKey, ApiKeySecret
from core.actors import Actor, ActorKind
from organizations import mail
from organizations.email_kinds import EmailKind, register
from organizations.email_names import text_for_email
from organizations.models import Membership, Organization
from organizations.roles import Role
from organizations.services import unsubscribe_token
from organizations.site_url import page_url

CREATED: Final = register(
    EmailKind("key_created", "API key created", "Someone else creates an API key.")
)
ROTATED: Final = register(
    EmailKind("key_rotated", "API key rotated", "Someone else replaces the secret of an API key.")
)
DELETED: Final = register(
    EmailKind("key_deleted", "API key deleted", "Someone else deletes API keys.")
)
OLD_SECRET_USED: Final = register(
    EmailKind(
        "retired_secret_used",
        "Old secret used",
        "A request uses a secret that was replaced by a rotation.",
    )
)
#: Emails of one kind about one organization. Afterwards, changes are only in its activity.
MOST_AN_HOUR: Final = 10
#: Recipients of one email, admins who joined first before others.
MOST_RECIPIENTS: Final = 50
#: Keys named in one email.
_MOST_NAMES: Final = 10
_MOST_SCOPES: Final = 10
_HOUR: Final = 60 * 60
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_is_quiet: Final = ContextVar("key_emails_are_quiet", default=False)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Recipient:
    user_id: UUID
    email: str
    is_admin: bool


@contextmanager
def no_emails() -> Iterator[None]:
    """Sends nothing about changes made within, such as those of the demo's past."""
    token = _is_quiet.set(True)
    try:
        yield
    finally:
        _is_quiet.reset(token)


def created(key: ApiKey, *, actor: Actor) -> None:
    """Call in the operation that creates the key, and likewise for the functions below."""
    _after_commit(CREATED, [key], actor)


def rotated(key: ApiKey, ends_at: datetime, *, actor: Actor) -> None:
    """`ends_at` is when the old secret stops working."""
    _after_commit(ROTATED, [key], actor, old_secret_ends_at=ends_at)


def deleted(keys: Sequence[ApiKey], *, actor: Actor) -> None:
    """One email for all keys of an organization."""
    _after_commit(DELETED, keys, actor)


def retired_secret_used(secret: ApiKeySecret, *, actor: Actor) -> None:
    """Here the actor is the key itself."""
    _after_commit(
        OLD_SECRET_USED,
        [secret.key],
        actor,
        prefix=secret.prefix,
        ip=actor.origin.ip,
        user_agent=actor.origin.user_agent,
    )


def _after_commit(kind: EmailKind, keys: Sequence[ApiKey], actor: Actor, **facts: Any) -> None:
    if _is_quiet.get():
        return
    # Robust: the change is made, so an error here is only logged.
    send = partial(_send, kind, keys, actor, {"at": timezone.now(), **facts})
    transaction.on_commit(send, robust=True)


def _send(kind: EmailKind, keys: Sequence[ApiKey], actor: Actor, facts: Mapping[str, Any]) -> None:
    by_organization: defaultdict[UUID, list[ApiKey]] = defaultdict(list)
    for key in keys:
        by_organization[key.organization_id].append(key)
    for theirs in by_organization.values():
        recipients = _recipients(kind, theirs, actor)
        number = _number_in_hour(kind, theirs[0].organization_id) if recipients else 0
        if number > MOST_AN_HOUR:
            _log.info("key_email_skipped", mail=kind.name, reason="too many an hour")
            continue
        shared = {
            **_about(kind, theirs[0].organization, actor),
            **facts,
            "is_last": number == MOST_AN_HOUR,
        }
        for recipient in recipients:
            _send_to(recipient, kind, theirs, shared)


def _recipients(kind: EmailKind, keys: Sequence[ApiKey], actor: Actor) -> list[_Recipient]:
    """Admins, and members who created one of the keys, if they have confirmed their address.

    None of a closed organization, which is hidden from its members.
    """
    makers = {key.created_by_id for key in keys}
    members = Membership.objects.visible_to(actor).for_organization(keys[0].organization_id)
    found = members.filter(
        Q(role=Role.ADMIN) | Q(user_id__in=makers),
        organization__closed_at=None,
        user__is_active=True,
        user__emailaddress__verified=True,
        user__emailaddress__email=F("user__email"),
    )
    if actor.id:
        found = found.exclude(user_id=actor.id)
    rows = found.order_by("role", "id").values_list(
        "user_id", "user__email", "role", "user__muted_emails"
    )
    wanted = [
        _Recipient(user_id, email, role == Role.ADMIN)
        for user_id, email, role, muted in rows
        if kind.name not in muted
    ]
    return wanted[:MOST_RECIPIENTS]


def _number_in_hour(kind: EmailKind, organization_id: UUID) -> int:
    """How many emails of this kind there were in the last hour, with this one."""
    name, now = f"key-emails:{organization_id.hex}:{kind.name}", time.time()
    sent = [at for at in cache.get(name) or [] if at > now - _HOUR]
    if len(sent) <= MOST_AN_HOUR:
        sent.append(now)
        cache.set(name, sent, _HOUR)
    return len(sent)


def _about(kind: EmailKind, organization: Organization, actor: Actor) -> dict[str, Any]:
    return {
        "kind": kind,
        "who": _who(actor),
        "organization": text_for_email(organization.name),
        "settings_url": page_url("notifications"),
        "activity_url": page_url("apikeys:activity", organization.slug),
    }


def _who(actor: Actor) -> str:
    """The actor as the subject of a sentence."""
    if actor.kind is ActorKind.KEY:
        return f"The API key “{text_for_email(actor.label)}”"
    if actor.kind is ActorKind.PERSON:
        return _person(actor.label)
    is_staff = actor.kind is ActorKind.STAFF
    return f"{settings.SITE_NAME} support" if is_staff else "An automatic process"


def _person(label: str) -> str:
    """A name, or the email address of a person without one."""
    return label if _EMAIL.fullmatch(label) else text_for_email(label)


def _send_to(
    recipient: _Recipient, kind: EmailKind, keys: Sequence[ApiKey], shared: Mapping[str, Any]
) -> None:
    if not recipient.is_admin:
        keys = [key for key in keys if key.created_by_id == recipient.user_id]
    if not keys:
        return
    context = {
        **shared,
        "names": _listed([f"“{text_for_email(key.name)}”" for key in keys], _MOST_NAMES),
        "number": len(keys),
        "is_admin": recipient.is_admin,
    }
    if len(keys) == 1:
        context |= _facts(keys[0], context)
    if not recipient.is_admin:  # the pages are for admins
        context |= {"key_url": "", "activity_url": ""}
    token = unsubscribe_token(recipient.user_id, kind)
    compose = partial(
        mail.compose,
        f"apikeys/mail/{kind.name}.html",
        recipient.email,
        context,
        headers=_unsubscribe_headers(token),
    )
    mail.send_in_background(compose, kind.name)


def _facts(key: ApiKey, context: Mapping[str, Any]) -> dict[str, Any]:
    """What an email says about its only key."""
    return {
        "name": text_for_email(key.name),
        "prefix": context.get("prefix") or key.key_prefix,
        "environment": key.get_environment_display(),
        "scopes": _listed(key.scopes, _MOST_SCOPES),
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "created_by": _person(str(key.created_by)) if key.created_by else "",
        "key_url": page_url("apikeys:key", key.organization.slug, key.public_id),
    }


def _listed(words: Sequence[str], most: int) -> str:
    shown = ", ".join(words[:most])
    return f"{shown} and {len(words) - most:,} more" if len(words) > most else shown


def _unsubscribe_headers(token: str) -> dict[str, str]:
    """Lets mail programs offer a button that turns the kind off (RFC 8058)."""
    url = page_url("unsubscribe", token)
    if not url:
        return {}
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}

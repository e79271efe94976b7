"""Writes to key templates."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from apikeys.events import KeyEvent
from apikeys.models import KeyTemplate
from apikeys.services import authority
from apikeys.services.acting import lock_organization
from apikeys.validation import clean_fields
from core.actors import Actor
from core.exceptions import Conflict, ErrorCode, NotFound, require_unchanged
from core.text import name_key
from core.transactions import conflict_on, operation
from organizations import audit
from organizations.models import Organization
from organizations.roles import Action


@operation()
def create_template(
    *,
    organization: Organization,
    actor: Actor,
    name: str,
    scopes: list[str],
    description: str = "",
    lifetime_days: int | None = None,
) -> KeyTemplate:
    """A preset. Raises Invalid, Forbidden, or Conflict for a taken name."""
    actor = _authorize(organization, actor)
    values = {
        "name": name,
        "scopes": scopes,
        "description": description,
        "lifetime_days": lifetime_days,
    }
    template = KeyTemplate(organization=organization, **clean_fields(values))
    authority.require_scopes_within(actor, template.scopes)
    _save(template)
    details = {"scopes": template.scopes, "lifetime_days": template.lifetime_days}
    audit.record(KeyEvent.TEMPLATE_CREATED, template, actor=actor, details=details)
    return template


@operation()
def update_template(
    template: KeyTemplate,
    *,
    actor: Actor,
    changes: Mapping[str, Any],
    seen_at: datetime | None = None,
) -> KeyTemplate:
    """Changes any of name, description, scopes and lifetime_days. Existing keys stay.

    Conflict if it has changed since `seen_at`, the `updated_at` that the actor saw.
    """
    template, actor = _lock_template(template, actor)
    require_unchanged(template.updated_at, seen_at, "template")
    new = clean_fields(changes)
    changed = {
        field: [getattr(template, field), value]
        for field, value in new.items()
        if getattr(template, field) != value
    }
    authority.require_scopes_within(actor, set(new.get("scopes", ())) - set(template.scopes))
    old_lifetime, new_lifetime = changed.get("lifetime_days", [None, None])
    if authority.ends_later(old_lifetime, new_lifetime):
        authority.require_scopes_within(actor, template.scopes)
    if changed:
        for field, value in new.items():
            setattr(template, field, value)
        template.updated_at = timezone.now()
        _save(template)
        audit.record(KeyEvent.TEMPLATE_UPDATED, template, actor=actor, details=changed)
    return template


@operation()
def delete_template(template: KeyTemplate, *, actor: Actor) -> None:
    """Takes the preset away; keys made from it stay."""
    template, actor = _lock_template(template, actor)
    audit.record(KeyEvent.TEMPLATE_DELETED, template, actor=actor)
    template.delete()


def _authorize(organization: Organization, actor: Actor) -> Actor:
    """Templates shape live keys too, so that a test key must not change them."""
    _, actor = lock_organization(organization, actor, Action.MANAGE_TEMPLATES)
    authority.require_live(actor)
    return actor


def _lock_template(template: KeyTemplate, actor: Actor) -> tuple[KeyTemplate, Actor]:
    actor = _authorize(template.organization, actor)
    current = (
        KeyTemplate.objects.visible_to(actor).select_for_update().filter(pk=template.pk).first()
    )
    if current is None:
        raise NotFound
    return current, actor


def _save(template: KeyTemplate) -> None:
    template.name_key = name_key(template.name)
    message = f"A template named “{template.name}” already exists. Choose another name."
    taken = Conflict(message, code=ErrorCode.NAME_TAKEN)
    with conflict_on("one_template_per_name", "name_key", taken):
        template.save()

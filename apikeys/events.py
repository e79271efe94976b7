"""Audit events about API keys and templates."""

from enum import StrEnum

from organizations.events import recorded


@recorded
class KeyEvent(StrEnum):
    CREATED = "api_key.created"
    UPDATED = "api_key.updated"
    ENABLED = "api_key.enabled"
    DISABLED = "api_key.disabled"
    TIER_CHANGED = "api_key.rate_limit_tier_changed"
    ROTATED = "api_key.rotated"
    REVOKED = "api_key.revoked"
    RETIRED_SECRET_USED = "api_key.retired_secret_used"
    TEMPLATE_CREATED = "template.created"
    TEMPLATE_UPDATED = "template.updated"
    TEMPLATE_DELETED = "template.deleted"

"""All writes to API keys, their secrets and their templates; deletes service accounts.

Each function is one operation: permission check, validation, write and audit event in one
transaction. For several keys there is one event per key.
"""

from apikeys.services.acting import CredentialRefused, actor_of
from apikeys.services.authority import invalid_service_account, widens_authority
from apikeys.services.bulk_changes import MOST_SWITCHED, set_api_keys_enabled
from apikeys.services.changes import (
    LIMITING,
    set_api_key_enabled,
    set_key_rate_limit_tier,
    update_api_key,
)
from apikeys.services.idempotency import AlreadySubmitted, IdempotencyToken
from apikeys.services.keys import Issued, create_api_key, require_not_revoked
from apikeys.services.revocation import MOST_REVOKED, revoke_api_key, revoke_api_keys
from apikeys.services.rotation import SHORT_GRACE, record_retired_use, rotate_api_key
from apikeys.services.service_accounts import delete_service_account
from apikeys.services.templates import create_template, delete_template, update_template

__all__ = [
    "LIMITING",
    "MOST_REVOKED",
    "MOST_SWITCHED",
    "SHORT_GRACE",
    "AlreadySubmitted",
    "CredentialRefused",
    "IdempotencyToken",
    "Issued",
    "actor_of",
    "create_api_key",
    "create_template",
    "delete_service_account",
    "delete_template",
    "invalid_service_account",
    "record_retired_use",
    "require_not_revoked",
    "revoke_api_key",
    "revoke_api_keys",
    "rotate_api_key",
    "set_api_key_enabled",
    "set_api_keys_enabled",
    "set_key_rate_limit_tier",
    "update_api_key",
    "update_template",
    "widens_authority",
]

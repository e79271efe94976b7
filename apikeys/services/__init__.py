"""Every write to keys, their secrets and their templates.

Each function is one operation: policy, checks, write and one audit event in one transaction.
"""

from apikeys.services.authority import no_service_account
from apikeys.services.changes import (
    set_api_key_enabled,
    set_key_rate_limit_tier,
    update_api_key,
)
from apikeys.services.keys import Issued, create_api_key, revoke_api_key
from apikeys.services.rotation import record_retired_use, rotate_api_key
from apikeys.services.submissions import AlreadySubmitted, Attempt
from apikeys.services.templates import create_template, delete_template, update_template

__all__ = [
    "AlreadySubmitted",
    "Attempt",
    "Issued",
    "create_api_key",
    "create_template",
    "delete_template",
    "no_service_account",
    "record_retired_use",
    "revoke_api_key",
    "rotate_api_key",
    "set_api_key_enabled",
    "set_key_rate_limit_tier",
    "update_api_key",
    "update_template",
]

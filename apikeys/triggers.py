"""Database triggers for what may never change about a key."""

from collections.abc import Sequence
from typing import Any, Final

from django.db import connections

from core.revocation_clock.triggers import ChangeTrigger, install_changes
from core.triggers import Trigger, install, remove_before_rebuilding

TRIGGERS: Final = (
    Trigger(
        name="a_revoked_key_stays_revoked",
        table="apikeys_apikey",
        events=("UPDATE",),
        condition="OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at",
    ),
    Trigger(
        name="a_key_stays_where_it_is",
        table="apikeys_apikey",
        events=("UPDATE",),
        condition="NEW.organization_id <> OLD.organization_id"
        " OR NEW.environment <> OLD.environment",
    ),
    Trigger(
        name="a_key_and_its_service_account_share_an_organization",
        table="apikeys_apikey",
        events=("INSERT", "UPDATE"),
        condition="""NEW.service_account_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM organizations_serviceaccount
            WHERE id = NEW.service_account_id AND organization_id = NEW.organization_id)""",
    ),
    Trigger(
        name="a_retired_secret_stays_retired",
        table="apikeys_apikeysecret",
        events=("UPDATE",),
        condition="""NEW.key_id <> OLD.key_id OR (OLD.ends_at IS NOT NULL
            AND (NEW.ends_at IS NULL OR NEW.ends_at > OLD.ends_at))""",
    ),
    Trigger(
        name="a_revoked_key_gets_no_secret",
        table="apikeys_apikeysecret",
        events=("INSERT",),
        condition="""EXISTS (SELECT 1 FROM apikeys_apikey
            WHERE id = NEW.key_id AND revoked_at IS NOT NULL)""",
    ),
)


#: The columns that verification reads (docs/adr/0018). Changing the pepper has no effect on it.
CHANGES: Final = (
    ChangeTrigger(
        name="a_key_changes",
        table="apikeys_apikey",
        kind="key",
        target="id",
        columns=(
            "name",
            "environment",
            "scopes",
            "rate_limit_tier",
            "expires_at",
            "disabled_at",
            "revoked_at",
            "created_by_id",
            "organization_id",
            "service_account_id",
        ),
    ),
    ChangeTrigger(
        name="a_secret_changes",
        table="apikeys_apikeysecret",
        kind="key",
        target="key_id",
        columns=("key_id", "prefix", "ends_at"),
    ),
)


def remove_before_migrate(using: str, plan: Sequence[Any], **_: Any) -> None:
    """Receiver of `pre_migrate`."""
    if plan:
        remove_before_rebuilding(connections[using], (*TRIGGERS, *CHANGES))


def install_after_migrate(using: str, **_: Any) -> None:
    """Receiver of `post_migrate`."""
    install(connections[using], TRIGGERS)
    install_changes(connections[using], CHANGES)

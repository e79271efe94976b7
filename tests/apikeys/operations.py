"""Every operation on keys and templates, for tests that all of them must pass."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from apikeys import services
from apikeys.events import KeyEvent
from apikeys.models import ApiKey, KeyTemplate
from core.actors import Actor
from organizations.events import OrganizationEvent
from organizations.models import Organization, ServiceAccount
from tests.support.domain import Operation


@dataclass(frozen=True, slots=True)
class World:
    """What the operations work on. `retired` is a key whose first secret a rotation has ended."""

    acme: Organization
    key: ApiKey
    disabled: ApiKey
    retired: ApiKey
    template: KeyTemplate
    account: ServiceAccount


def _use_retired_secret(world: World, actor: Actor) -> ApiKey:
    secret = world.retired.secrets.exclude(ends_at=None).get()
    services.record_retired_use(secret_id=secret.id, actor=actor)
    return world.retired


#: On keys, and therefore for live keys only where the key is live.
ON_KEYS: Final[dict[str, Operation[World]]] = {
    "update": Operation(
        event=KeyEvent.UPDATED,
        target_type="ApiKey",
        run=lambda w, a: services.update_api_key(w.key, actor=a, changes={"name": "Renamed"}),
    ),
    "disable": Operation(
        event=KeyEvent.DISABLED,
        target_type="ApiKey",
        run=lambda w, a: services.set_api_key_enabled(w.key, enabled=False, actor=a),
    ),
    "enable": Operation(
        event=KeyEvent.ENABLED,
        target_type="ApiKey",
        run=lambda w, a: services.set_api_key_enabled(w.disabled, enabled=True, actor=a),
    ),
    "rotate": Operation(
        event=KeyEvent.ROTATED,
        target_type="ApiKey",
        run=lambda w, a: services.rotate_api_key(w.key, actor=a),
        target_id=lambda w, issued: issued.key.pk,
    ),
    "rotate by force": Operation(
        event=KeyEvent.ROTATED,
        target_type="ApiKey",
        run=lambda w, a: services.rotate_api_key(
            w.key, actor=a, force=True, grace_period=timedelta(0)
        ),
        target_id=lambda w, issued: issued.key.pk,
    ),
    "revoke": Operation(
        event=KeyEvent.REVOKED,
        target_type="ApiKey",
        run=lambda w, a: services.revoke_api_key(w.key, actor=a, reason="Lost."),
    ),
    "revoke in bulk": Operation(
        event=KeyEvent.REVOKED,
        target_type="ApiKey",
        run=lambda w, a: services.revoke_api_keys([w.key], actor=a, cascade=True),
        target_id=lambda w, revoked: revoked[0].pk,
    ),
    "disable in bulk": Operation(
        event=KeyEvent.DISABLED,
        target_type="ApiKey",
        run=lambda w, a: services.set_api_keys_enabled([w.key], enabled=False, actor=a),
        target_id=lambda w, changed: changed[0].pk,
    ),
    "enable in bulk": Operation(
        event=KeyEvent.ENABLED,
        target_type="ApiKey",
        run=lambda w, a: services.set_api_keys_enabled([w.disabled], enabled=True, actor=a),
        target_id=lambda w, changed: changed[0].pk,
    ),
}
#: What a test key may not touch because it reaches live keys.
LIVE_ONLY: Final[dict[str, Operation[World]]] = {
    "create live key": Operation(
        event=KeyEvent.CREATED,
        target_type="ApiKey",
        run=lambda w, a: services.create_api_key(
            organization=w.acme, actor=a, name="New", scopes=["search:read"], environment="live"
        ),
        target_id=lambda w, issued: issued.key.pk,
    ),
    "create template": Operation(
        event=KeyEvent.TEMPLATE_CREATED,
        target_type="KeyTemplate",
        run=lambda w, a: services.create_template(
            organization=w.acme, actor=a, name="New", scopes=["search:read"]
        ),
    ),
    "update template": Operation(
        event=KeyEvent.TEMPLATE_UPDATED,
        target_type="KeyTemplate",
        run=lambda w, a: services.update_template(
            w.template, actor=a, changes={"lifetime_days": 7}
        ),
    ),
    "delete template": Operation(
        event=KeyEvent.TEMPLATE_DELETED,
        target_type="KeyTemplate",
        run=lambda w, a: services.delete_template(w.template, actor=a),
        target_id=lambda w, _: w.template.pk,
    ),
}
BOUND: Final = {**ON_KEYS, **LIVE_ONLY}
#: Keys may not delete service accounts: `test_service_accounts.py` says who may. The last one is
#: left by authentication and needs no permission: it has just been refused.
ALL: Final[dict[str, Operation[World]]] = {
    **BOUND,
    "delete service account": Operation(
        event=OrganizationEvent.SERVICE_ACCOUNT_DELETED,
        target_type="ServiceAccount",
        run=lambda w, a: services.delete_service_account(w.account, actor=a),
    ),
    "use retired secret": Operation(
        event=KeyEvent.RETIRED_SECRET_USED, target_type="ApiKey", run=_use_retired_secret
    ),
}
#: Calls that ask for what is so already.
IDLE: Final[dict[str, Callable[[World, Actor], Any]]] = {
    "update nothing": lambda w, a: services.update_api_key(w.key, actor=a, changes={}),
    "update to the same": lambda w, a: services.update_api_key(
        w.key,
        actor=a,
        changes={
            "name": f" {w.key.name} ",
            "scopes": list(w.key.scopes),
            "metadata": {},
            "expires_at": None,
            "enabled": True,
        },
    ),
    "enable": lambda w, a: services.set_api_key_enabled(w.key, enabled=True, actor=a),
    "disable": lambda w, a: services.set_api_key_enabled(w.disabled, enabled=False, actor=a),
    "enable in bulk": lambda w, a: services.set_api_keys_enabled([w.key], enabled=True, actor=a),
    "disable in bulk": lambda w, a: services.set_api_keys_enabled(
        [w.disabled], enabled=False, actor=a
    ),
    "update template to the same": lambda w, a: services.update_template(
        w.template, actor=a, changes={"name": w.template.name, "lifetime_days": None}
    ),
}

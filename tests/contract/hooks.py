"""Hooks for schemathesis: use IDs of its own organization, and don't revoke its own key."""

import os
from importlib import import_module
from typing import Any

_OWN_KEY = set(filter(None, os.environ.get("CONTRACT_OWN_KEY", "").split(",")))
_OWN_ORGANIZATION = os.environ.get("CONTRACT_OWN_ORGANIZATION", "")
_SPARE_KEYS = list(filter(None, os.environ.get("CONTRACT_SPARE_KEYS", "").split(",")))
_NOBODY = "key_0000000000000000000000"


def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Four of five addresses are made its own; its own key is read and nothing else.

    Every second list of ids becomes one of keys that exist.
    """
    parts = case.path_parameters
    if case.method.upper() != "GET" and parts.get("id") in _OWN_KEY:
        parts["id"] = _NOBODY
    named = case.body.get("ids") if isinstance(case.body, dict) else None
    if isinstance(named, list) and named and all(isinstance(one, str) for one in named):
        chosen = _SPARE_KEYS if hash(case.id) % 2 else named
        case.body["ids"] = [_NOBODY if one in _OWN_KEY else one for one in chosen]
    for name in {"account_id", "workspace_id"} & set(parts):
        if hash(case.id) % 5:
            parts[name] = _OWN_ORGANIZATION
            (case.headers or {}).pop("X-Workspace-ID", None)


# By name, since the package is there for the contract tests alone.
import_module("schemathesis").hook(before_call)

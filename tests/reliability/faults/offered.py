"""Finds which interfaces offer which revoking service, from the product's own code.

Routes come from the URL configuration, admin actions and pages from its registry, and commands from
the folders of the apps. What each one calls is read from the source of its functions.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin, ModelAdmin
from django.core.management import get_commands
from django.urls import get_resolver

from apikeys import services
from core.revocation_wait import require_wait
from organizations import services as organization_services
from tests.security.matrix.routes import _walk

_OURS: Final = ("core", "apikeys", "organizations", "config", "tests")
#: What Django admin calls when a change page, or an inline on it, is saved.
_SAVING: Final = (
    *("save_form", "save_model", "save_formset", "save_related", "log_change"),
    *("construct_change_message", "response_change"),
)
_DELETING: Final = ("delete_model", "delete_queryset")
_METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Offer:
    """A face, the service that it calls, and the fields of a key that it lets callers change."""

    face: str
    service: str
    fields: frozenset[str] = frozenset()


@cache
def withdrawing() -> dict[Any, str]:
    """The services that take authority away, by function."""
    packages = (services, organization_services)
    named = {name: getattr(package, name) for package in packages for name in package.__all__}
    functions = {name: found for name, found in named.items() if inspect.isfunction(found)}
    return {
        inspect.unwrap(function): name
        for name, function in functions.items()
        if require_wait in reached(function)
    }


def reached(entry: Any, owner: type | None = None, end: Iterable[Any] = ()) -> set[Any]:
    """The functions that `entry`, a method of `owner`, names, and those that these name.

    What `end` has in it is not looked into.
    """
    stop, seen, todo = set(end), set[tuple[Any, type | None]](), [(entry, owner)]
    while todo:
        found, of = todo.pop()
        function = inspect.unwrap(getattr(found, "__func__", found))
        if not _is_ours(function) or (function, of) in seen:
            continue
        seen.add((function, of))
        if function not in stop:
            todo.extend(_named(function, of))
    return {function for function, _ in seen}


def _is_ours(function: Any) -> bool:
    return isinstance(function, FunctionType) and function.__module__.split(".")[0] in _OURS


@cache
def _nodes(function: FunctionType) -> list[ast.AST]:
    return list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))


def _named(function: FunctionType, owner: type | None) -> Iterator[tuple[Any, type | None]]:
    for node in _nodes(function):
        for found in _values(node, function, owner):
            if isinstance(found, property):
                yield found.fget, owner
            else:
                yield found, owner if isinstance(node, ast.Attribute) else None


def _values(node: ast.AST, function: FunctionType, owner: type | None) -> list[Any]:
    """What a name or an attribute stands for, as far as that is known without running it."""
    if isinstance(node, ast.Name):
        return [owner] if node.id == "self" else [function.__globals__.get(node.id)]
    if not isinstance(node, ast.Attribute):
        return []
    if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "super":
        above = owner.__mro__ if owner else ()
        return [vars(base)[node.attr] for base in above if node.attr in vars(base)]
    holders = _values(node.value, function, owner)
    known = [holder for holder in holders if isinstance(holder, type | ModuleType)]
    return [inspect.getattr_static(holder, node.attr, None) for holder in known]


def _services_of(entry: Any, owner: type | None) -> set[str]:
    found = withdrawing()
    return {found[function] for function in reached(entry, owner, found) if function in found}


def _offers(face: str, entry: Any, owner: type | None, fields: Iterable[str] = ()) -> set[Offer]:
    return {Offer(face, name, frozenset(fields)) for name in _services_of(entry, owner)}


def of_routes(urlconf: str | None = None) -> set[Offer]:
    """What the routes offer: “POST path”; the first one of a path answers, as in Django."""
    entries: dict[str, tuple[Any, type | None, Iterable[str]]] = {}
    for route, pattern in _walk(get_resolver(urlconf).url_patterns):
        for method, entry, owner, fields in _entries(pattern.callback):
            entries.setdefault(f"{method.upper()} {route}", (entry, owner, fields))
    return {offer for face, entry in entries.items() for offer in _offers(face, *entry)}


def _entries(view: Any) -> Iterator[tuple[str, Any, type | None, Iterable[str]]]:
    if actions := getattr(view, "actions", None):
        wire = view.initkwargs["wire"]
        for method, action in actions.items():
            yield method, getattr(view.cls, action), view.cls, wire.takes.get("update", ())
    elif page := getattr(view, "view_class", None):
        form = getattr(page, "form_class", None)
        for method in _METHODS:
            if hasattr(page, method):
                yield method, getattr(page, method), page, getattr(form, "base_fields", ())
    else:
        bound = inspect.unwrap(view)
        yield "post", bound, type(getattr(bound, "__self__", None)), ()


def of_admin(pages: Iterable[ModelAdmin[Any]] | None = None) -> set[Offer]:
    """What the administration offers on change pages, on their inlines and as actions of lists."""
    found = set()
    for page in admin.site._registry.values() if pages is None else pages:
        label, kind = page.model._meta.label_lower, type(page)
        entries = [(f"admin page {label}", getattr(kind, name)) for name in _SAVING]
        entries += [(f"admin deletion {label}", getattr(kind, name)) for name in _DELETING]
        for face, entry in [*entries, *_actions(page, label)]:
            found |= _offers(face, entry, kind)
        found |= {Offer(_inline(label, inline), "any") for inline in page.inlines}
    return found


def _actions(page: ModelAdmin[Any], label: str) -> Iterator[tuple[str, Any]]:
    for action in page.actions or ():
        name = action if isinstance(action, str) else action.__name__
        entry: Callable[..., Any] = getattr(type(page), name) if isinstance(action, str) else action
        yield f"admin action {label} {name}", entry


def _inline(label: str, inline: type[InlineModelAdmin[Any, Any]]) -> str:
    """Inlines have no services in between: each is a face, whichever it saves."""
    return f"admin inline {label} {inline.model._meta.label_lower}"


def of_commands(folders: Iterable[tuple[str, str]] | None = None) -> set[Offer]:
    """What the commands of the apps offer."""
    ours = {config.name for config in apps.get_app_configs() if config.name in _OURS}
    named = get_commands().items() if folders is None else folders
    found = set()
    for name, app in named:
        if folders is not None or app in ours:
            command = import_module(f"{app}.management.commands.{name}").Command
            found |= _offers(f"command {name}", command.handle, command)
    return found


def offered(urlconf: str) -> set[Offer]:
    """All of it."""
    return of_routes(urlconf) | of_admin() | of_commands()

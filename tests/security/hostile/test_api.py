"""Malicious inputs to every API operation in every format: no 5xx, and well-formed errors."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from apikeys.api.formats.account import ACCOUNT as ACCOUNT_FORMAT
from apikeys.api.formats.base import WireFormat
from apikeys.api.formats.canonical import CANONICAL as CANONICAL_FORMAT
from apikeys.api.formats.envelope import ENVELOPE as ENVELOPE_FORMAT
from apikeys.api.formats.workspace import WORKSPACE as WORKSPACE_FORMAT
from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.security.hostile import corpus
from tests.support.api import MakeKey
from tests.support.client import Answer, ApiClient
from tests.support.dialects import ACCOUNT, CANONICAL, DIALECTS, ENVELOPE, WORKSPACE, Dialect

FORMATS: Final = (
    (CANONICAL, CANONICAL_FORMAT),
    (ENVELOPE, ENVELOPE_FORMAT),
    (WORKSPACE, WORKSPACE_FORMAT),
    (ACCOUNT, ACCOUNT_FORMAT),
)
#: Operation → method, and what follows the address of the keys or templates.
OPERATIONS: Final = {
    "list": ("GET", ""),
    "create": ("POST", ""),
    "read": ("GET", "/{id}"),
    "update": ("PATCH", "/{id}"),
    "revoke": ("DELETE", "/{id}"),
    "rotate": ("POST", "/{id}/rotate"),
    "usage": ("GET", "/{id}/usage"),
    "current": ("GET", "/current"),
    "revoke_many": ("POST", "/revoke"),
}
GOOD: Final = {"create": {"name": "Good", "scopes": ["search:read"]}}
OF_TEMPLATES: Final = frozenset({"list", "create", "read", "update", "revoke"})


@dataclass(frozen=True)
class Target:
    """An operation of a format, aimed at something that is there."""

    call: ApiClient
    dialect: Dialect
    wire: WireFormat
    operation: str
    keys: str
    key: Issued
    id: str
    owner: tuple[str, ...]

    @property
    def path(self) -> str:
        """Its address."""
        return self.keys + OPERATIONS[self.operation][1].format(id=self.id)

    def send(self, body: Any = None, path: str = "", **options: Any) -> Answer:
        """With a good key and the good body, unless told otherwise."""
        method = OPERATIONS[self.operation][0]
        if body is None and method != "GET":
            body = self.good()
        options = {"key": self.key, **options}
        return self.call(method, path or self.path, body, **options)

    def good(self, **fields: Any) -> dict[str, Any]:
        """A body that would do, with some fields by their names in the format."""
        good = {"ids": [self.id]} if self.operation == "revoke_many" else {}
        return {**self.dialect.body(**GOOD.get(self.operation, {})), **good, **fields}

    def fields(self) -> list[str]:
        """What its body may hold, in the format's names."""
        return [self.wire.name(name) for name in self.wire.takes.get(self.operation, ())]


Attack = Callable[[Target], Iterator[tuple[str, Any, Answer]]]


def in_fields(target: Target) -> Iterator[tuple[str, Any, Answer]]:
    for name in target.fields():
        for value in corpus.VALUES:
            yield name, value, target.send(target.good(**{name: value}))


def as_body(target: Target) -> Iterator[tuple[str, Any, Answer]]:
    for body, kind in corpus.BODIES if target.fields() else ():
        yield "", (body, kind), target.send(body, content_type=kind)


def in_address(target: Target) -> Iterator[tuple[str, Any, Answer]]:
    for part in corpus.PARTS:
        for place in (target.id, *target.owner):
            if place in target.path:
                yield "", part, target.send(path=target.path.replace(place, part))
        yield "", part, target.send(path=f"{target.path}/{part}")


def in_query(target: Target) -> Iterator[tuple[str, Any, Answer]]:
    for query in corpus.QUERIES:
        yield "", query, target.send(path=f"{target.path}?{query}")


def in_headers(target: Target) -> Iterator[tuple[str, Any, Answer]]:
    for name, value in corpus.HEADERS:
        yield "", (name, value), target.send(headers={name: value})


def as_credential(target: Target) -> Iterator[tuple[str, Any, Answer]]:
    for value in corpus.CREDENTIALS:
        yield "", value, target.send(key=None, headers={"Authorization": value})


ATTACKS: Final[tuple[Attack, ...]] = (
    in_fields, as_body, in_address, in_query, in_headers, as_credential
)  # fmt: skip


def _cases() -> list[Any]:
    return [
        pytest.param(dialect, wire, operation, id=f"{dialect}-{operation}")
        for dialect, wire in FORMATS
        for operation in OPERATIONS
        if operation in (dialect.can or OF_TEMPLATES)
    ]


def _wrong(target: Target, field: str, answer: Answer) -> str:
    """What is wrong with an answer, if anything is."""
    if answer.status >= 500:
        return f"{answer.status}"
    if answer.status < 400:
        return ""
    try:
        refusal = answer.refusal
    except (AssertionError, KeyError, TypeError, StopIteration):
        return "not the shape of the format"
    says_fields = target.dialect is not WORKSPACE
    if answer.status == 400 and field and says_fields and not _names(refusal.fields, field):
        return f"names {refusal.fields}"
    return "" if refusal.message else "says nothing"


def _names(named: tuple[str, ...], field: str) -> bool:
    return any(name == field or name.startswith(f"{field}.") for name in named)


@pytest.fixture
def target(
    call: ApiClient,
    set_limit: Callable[[int], None],
    make_key: MakeKey,
    manager: Issued,
    acme: Organization,
    dialect: Dialect,
    wire: WireFormat,
    operation: str,
) -> Target:
    set_limit(1_000_000)
    call.writes_usage = False
    thing = make_key(name="Target").key
    if dialect is ACCOUNT:
        thing = TemplateFactory.create(organization=acme)
    owner, path = (str(acme.pk), acme.public_id), dialect.keys(acme)
    return Target(call, dialect, wire, operation, path, manager, dialect.id_of(thing), owner)


@pytest.mark.django_db
@pytest.mark.parametrize(("dialect", "wire", "operation"), _cases())
def test_the_corpus(target: Target, acme: Organization) -> None:
    wrong, writes = [], OPERATIONS[target.operation][0] != "GET"
    for attack in ATTACKS:
        for field, payload, answer in attack(target):
            trouble = _wrong(target, field, answer)
            if not trouble and writes:
                listed = target.call("GET", target.keys, key=target.key).status
                trouble = f"the list answers {listed}" if listed != 200 else ""
            if trouble:
                wrong.append((attack.__name__, field, repr(payload)[:60], trouble))

    assert wrong == []
    for dialect in (*DIALECTS, ACCOUNT):
        assert target.call("GET", dialect.keys(acme), key=target.key).status == 200


def test_there_are_hundreds_of_payloads() -> None:
    assert corpus.COUNT > 400  # as docs/security says

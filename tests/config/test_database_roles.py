"""Runs the SQL for the database roles that the operations guide recommends."""

import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection, transaction
from django.test import Client

from apikeys.services import Issued
from config.env import ROOT
from core import ids, transactions
from core.triggers import install
from organizations import triggers
from organizations.models import AuditEvent, Organization, User
from tests.factories import UserFactory
from tests.pages.support import developer, sign_in, submission_of
from tests.support.client import ApiClient

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no roles")
_GUIDE = (ROOT / "docs/operations/README.md").read_text()


@pytest.fixture
def roles(acme: Organization) -> None:
    """All in a transaction, roles included, that is never committed."""
    section = _GUIDE.partition("## Two roles in PostgreSQL\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sql\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 3
    _execute("SET CONSTRAINTS ALL IMMEDIATE")  # of what the fixtures have done
    for block in blocks:
        _execute(block)


def _execute(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def _become(role: str) -> None:
    _execute(f"SET LOCAL ROLE {role}")


def test_the_servers_role_serves(
    make_key: Callable[..., Issued], acme: Organization, admin: User, call: ApiClient, roles: None
) -> None:
    _become("latchkey_app")
    manager = make_key(name="Manager", scopes=["api-keys:manage", "search:read"])
    browser, page = sign_in(admin, Client()), developer(acme, "keys/create/")
    form = {"submission": submission_of(browser.get(page)), "name": "Page"}
    body = {"name": "New", "scopes": ["search:read"]}

    answers = [call("POST", "/v1/api-keys", body, key=manager)]
    keys = f"/v1/api-keys/{answers[0].body['id']}"
    answers += [call("POST", f"{keys}/rotate", {}, key=manager), call("DELETE", keys, key=manager)]
    pages = [browser.post(page, form), browser.get(developer(acme, "activity/"))]
    _execute("SET CONSTRAINTS ALL IMMEDIATE")  # the clock's triggers, which wait for a commit

    assert [answer.status // 100 for answer in answers] == [2, 2, 2]
    assert [one.status_code for one in pages] == [201, 200]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE organizations_auditevent SET ip = NULL",
        "DELETE FROM organizations_auditevent",
        "INSERT INTO organizations_erasure SELECT id, 'x', now() FROM organizations_auditevent",
        "UPDATE organizations_erasure SET label = 'x'",
        "DELETE FROM organizations_erasure",
        "SELECT setval('organizations_auditevent_number_seq', 1)",
        "TRUNCATE organizations_auditevent",
        "DROP TRIGGER audit_events_stay ON organizations_auditevent",
        "ALTER TABLE organizations_auditevent DISABLE TRIGGER ALL",
        "DROP FUNCTION audit_events_stay CASCADE",
        "SET session_replication_role = replica",
        "CREATE TABLE mine (id int)",
    ],
)
def test_the_servers_role_cannot_touch_the_trail(roles: None, statement: str) -> None:
    _become("latchkey_app")

    with pytest.raises(ProgrammingError, match=r"denied|must be owner"):
        _execute(statement)

    assert AuditEvent.objects.exists()


def test_nobody_is_forgotten_by_the_servers_role(roles: None) -> None:
    gone = UserFactory.create(email="zoe@personal.example")
    _become("latchkey_app")

    with pytest.raises(ProgrammingError, match="denied"), transaction.atomic():
        call_command("forget_person", gone.email, "--yes", verbosity=0)

    assert User.objects.get(pk=gone.pk).email == gone.email


def test_the_owner_forgets_people_and_maintains(roles: None) -> None:
    gone = UserFactory.create(email="zoe@personal.example")
    _become("latchkey_owner")

    call_command("forget_person", gone.email, "--yes", verbosity=0)
    call_command("maintain", stdout=StringIO())

    gone.refresh_from_db()
    assert gone.email.endswith("@forgotten.invalid")


def test_the_servers_role_chooses_no_number_of_an_event(acme: Organization, roles: None) -> None:
    _become("latchkey_app")
    last = AuditEvent.objects.order_by("-number")[0]

    with transactions.allowed():
        last.pk, last.number = ids.new_id(), -5
        last.save(force_insert=True)

    assert AuditEvent.objects.order_by("number").last() == AuditEvent.objects.get(pk=last.pk)


def test_the_owner_migrates(roles: None) -> None:
    _become("latchkey_owner")

    call_command("migrate", verbosity=0)
    install(connection, triggers.TRIGGERS)

"""Helpers for tests of the staff admin."""

import time
from typing import Any, Final

from allauth.account.internal.userkit import user_id_to_str
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from organizations.models import AuditEvent, User
from tests.pages.support import RECORDS
from tests.support.domain import every_row

IP: Final = "203.0.113.9"
NASTY: Final = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>"


def enter(client: Client, person: User) -> Client:
    """Signs a person in, as if with the password and just now."""
    client.force_login(person)
    session = client.session
    session[RECORDS] = [{"method": "password", "at": time.time(), "email": person.email}]
    session[f"{RECORDS}_user"] = user_id_to_str(person)
    session.save()
    return client


def page(model: type[Model] | Model, view: str = "changelist") -> str:
    """The address of a page of the admin about a model or an object."""
    args = [model.pk] if isinstance(model, Model) else []
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)


def change(row: Model) -> str:
    """The address of an object's own page."""
    return page(row, "change")


def act(browser: Client, action: str, *rows: Model, **more: Any) -> Any:
    """Chooses an action of a list for some of its rows."""
    chosen = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows]}
    return browser.post(page(type(rows[0])), {**chosen, **more}, follow=True)


def text(response: Any) -> str:
    """The page that came back, with one space for each run of white space."""
    return " ".join(response.content.decode().split())


def messages(response: Any) -> list[str]:
    """What the page says about what was done."""
    return [str(message) for message in response.context["messages"]]


def everything() -> tuple[Any, ...]:
    """All that a write could leave behind."""
    people = list(User.objects.order_by("pk").values())
    return every_row(), people, LogEntry.objects.count()


def only_event(name: str, staff: User) -> AuditEvent:
    """The one event that a member of staff has left, which says who it was and from where."""
    event = AuditEvent.objects.get(actor_kind="staff")
    assert event.event == name
    assert event.actor_id == staff.pk
    assert event.actor_label == str(staff)
    assert event.ip == IP
    assert event.request_id.startswith("req_")
    return event

"""Which operations of the admin require a recent sign-in. Each has a row."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib import admin as administration
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client, RequestFactory

from apikeys import services as key_services
from apikeys.models import ApiKey, KeyTemplate
from apikeys.services import Issued
from organizations import services
from organizations.models import Membership, Organization, ServiceAccount, User
from tests.admin.support import act, change, everything, page, text
from tests.factories import (
    PASSWORD,
    SYSTEM,
    InvitationFactory,
    ServiceAccountFactory,
    TemplateFactory,
    UserFactory,
)
from tests.pages.support import grow_stale

Fields = dict[str, Any]
_ORGANIZATION: Final = {
    "name": "Acme",
    "api_access_enabled": "on",
    "rate_limit_tier": "standard",
    "key_limit": "",
    "default_key_days": "",
}
_PERSON: Final = {"email": "max@acme.example", "name": "Max Member", "is_active": "on"}
_ACCOUNT: Final = {"name": "Robot", "description": ""}

#: Forms that widen authority or change who gets in: (model, page), and what is sent.
FORMS: Final[dict[tuple[str, str], list[Fields]]] = {
    ("Organization", "add"): [{"name": "Initech", "admin_email": "ada@acme.example"}],
    ("Organization", "change"): [
        {**_ORGANIZATION, "rate_limit_tier": "high"},
        {**_ORGANIZATION, "key_limit": "5000"},
    ],
    ("ServiceAccount", "change"): [{**_ACCOUNT, "enabled": "on", "initial-enabled": ""}],
    ("User", "add"): [{"email": "new@acme.example", "name": "Nina"}],
    ("User", "change"): [
        {**_PERSON, "email": "thief@evil.example"},
        {**_PERSON, "is_active": ""},
        {**_PERSON, "is_staff": "on"},
        {**_PERSON, "is_superuser": "on"},
        {**_PERSON, "user_permissions": "<permission>"},
    ],
    ("Membership", "add"): [{"organization": "<acme>", "user": "<newcomer>", "role": "admin"}],
    ("Membership", "change"): [{"role": "admin"}],
    ("ApiKey", "add"): [
        {
            "organization": "<acme>",
            "name": "New",
            "environment": "live",
            "scopes": ["search:read", "api-keys:manage"],
        }
    ],
}
#: Forms that an old sign-in is enough for, with what is sent, or why nothing can be.
PLAIN: Final[dict[tuple[str, str], list[Fields] | str]] = {
    ("ServiceAccount", "add"): [{"organization": "<acme>", "name": "Other", "description": ""}],
    ("KeyTemplate", "add"): [{"organization": "<acme>", "name": "New", "scopes": ["search:read"]}],
    ("KeyTemplate", "change"): [{"name": "Template", "scopes": ["api-keys:manage"]}],
    ("ApiKey", "change"): "shows a key and takes no form",
}
#: What else those forms may change in one step: it takes away, or is a text that people read.
HARMLESS: Final = [
    (("Organization", "change"), {**_ORGANIZATION, "name": "Acme Ltd"}),
    (("Organization", "change"), {**_ORGANIZATION, "api_access_enabled": ""}),
    (("ServiceAccount", "change"), {**_ACCOUNT, "name": "Renamed", "enabled": "on"}),
    (("User", "change"), {**_PERSON, "name": "Maximilian"}),
]
#: The actions of the lists: whether they ask first.
ACTIONS: Final = {
    ("Invitation", "revoke"): False,
    ("ServiceAccount", "disable"): False,
    ("ServiceAccount", "enable"): True,
    ("ServiceAccount", "remove"): False,
    ("Organization", "close"): False,
    ("Organization", "reopen"): True,
    ("User", "send_password_link"): True,
    ("User", "end_sessions"): False,
    ("User", "remove_second_factors"): True,
    ("User", "export_data"): True,
    ("Membership", "remove"): True,
    ("ApiKey", "disable"): False,
    ("ApiKey", "enable"): True,
    ("ApiKey", "set_tier"): True,
    ("ApiKey", "revoke"): True,
    ("KeyTemplate", "remove"): False,
}
_WAYS: Final = [(where, fields) for where, ways in FORMS.items() for fields in ways]
_PLAIN: Final = [
    *(
        (where, fields)
        for where, ways in PLAIN.items()
        if not isinstance(ways, str)
        for fields in ways
    ),
    *HARMLESS,
]


def test_every_operation_of_the_staff_has_a_row(staff: User) -> None:
    request = RequestFactory().get("/admin/")
    request.user = staff
    forms, actions = set(), set()
    for model, its in administration.site._registry.items():
        allowed = {
            "add": its.has_add_permission(request),
            "change": its.has_change_permission(request),
        }
        forms |= {(model.__name__, name) for name, may in allowed.items() if may}
        actions |= {(model.__name__, name) for name in its.get_actions(request)}

    assert forms == FORMS.keys() | PLAIN.keys()
    assert actions == ACTIONS.keys()


class World:
    """Acme with a row of each kind, and the browser of staff."""

    def __init__(self, browser: Client, rows: dict[str, Model], known: dict[str, Any]) -> None:
        self.browser, self.rows, self.known = browser, rows, known

    def send(
        self,
        where: tuple[str, str],
        fields: Fields,
        claimed: Callable[[Fields], Fields] | None = None,
    ) -> Any:
        """What the form's page answers; `claimed` makes its hidden fields of what is sent."""
        model, kind = where
        row = self.rows[model]
        address = page(type(row), "add") if kind == "add" else change(row)
        given = ((name, value) for name, value in fields.items() if value != "")
        sent = {n: self.known.get(v, v) if isinstance(v, str) else v for n, v in given}
        opened = self.browser.get(address)
        form = opened.context["adminform"].form if "adminform" in opened.context else []
        hidden = {
            field.html_initial_name: field.value() or ""
            for field in form
            if field.field.show_hidden_initial and not isinstance(field.value(), list)
        }
        if claimed:
            hidden = claimed({**dict.fromkeys(fields, ""), **sent})
        return self.browser.post(address, {**hidden, **sent})


@pytest.fixture
def world(
    browser: Client, acme: Organization, member: User, make_key: Callable[..., Issued]
) -> World:
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme, name="Robot")
    template: KeyTemplate = TemplateFactory.create(organization=acme, name="Template")
    rows: dict[str, Model] = {
        "Organization": acme,
        "ServiceAccount": account,
        "User": member,
        "Membership": Membership.objects.get(user=member),
        "ApiKey": make_key(name="Subject").key,
        "KeyTemplate": template,
        "Invitation": InvitationFactory.create(organization=acme),
    }
    newcomer = UserFactory.create()
    known = {
        "<acme>": acme.pk,
        "<newcomer>": newcomer.pk,
        "<permission>": Permission.objects.get(codename="change_user").pk,
    }
    return World(browser, rows, known)


@pytest.mark.parametrize(("where", "fields"), _WAYS)
def test_an_old_sign_in_saves_nothing_and_keeps_what_was_typed(
    world: World, where: tuple[str, str], fields: Fields
) -> None:
    if where == ("ServiceAccount", "change"):
        services.set_service_account_enabled(
            world.rows["ServiceAccount"],  # type: ignore[arg-type]
            enabled=False,
            actor=SYSTEM,
        )
    if where != ("ApiKey", "add"):  # whose empty form asks already
        grow_stale(world.browser)
    before = everything()
    answer = _sent_with_an_old_sign_in(world, where, fields)

    assert answer.status_code == 200
    assert "Your sign-in is too old for this." in text(answer)
    assert everything() == before
    typed = fields.get("email") or fields.get("name")
    assert not typed or typed in text(answer)

    confirmed = world.browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert confirmed.status_code == 302
    saved = world.send(where, fields)
    assert saved.status_code == (200 if where == ("ApiKey", "add") else 302), text(saved)
    assert everything() != before


@pytest.mark.parametrize(
    ("where", "fields"),
    [way for way in _WAYS if way[0] != ("ApiKey", "add")],  # shows nothing
)
@pytest.mark.parametrize("forge", ["as sent", "as empty", "left out"])
def test_no_claim_of_what_the_form_showed_spares_the_confirmation(
    world: World, where: tuple[str, str], fields: Fields, forge: str
) -> None:
    if where == ("ServiceAccount", "change"):
        account: Any = world.rows["ServiceAccount"]
        services.set_service_account_enabled(account, enabled=False, actor=SYSTEM)
    grow_stale(world.browser)
    before = _authority()

    answer = world.send(where, fields, _CLAIMS[forge])

    assert _authority() == before
    if forge != "as sent":
        assert "Your sign-in is too old for this." in text(answer)


@pytest.mark.parametrize(("where", "fields"), HARMLESS)
def test_what_an_old_sign_in_saves_changes_nothing_else(
    world: World, where: tuple[str, str], fields: Fields
) -> None:
    """All fields are sent, and claimed to be new, while only the harmless one differs."""
    grow_stale(world.browser)
    row = world.rows[where[0]]
    stored = type(row)._default_manager.values().get(pk=row.pk)

    claimed = {f"initial-{name}": "something else" for name in fields}
    assert world.send(where, fields, lambda _: claimed).status_code == 302

    saved = type(row)._default_manager.values().get(pk=row.pk)
    changed = {name for name in saved if saved[name] != stored[name]} - {"updated_at"}
    assert changed in ({"name"}, {"name", "name_key"}, {"api_access_enabled"})


def _authority() -> Any:
    """All that a write could leave behind, but for Django's own log of what was sent."""
    return everything()[:-1]


def _as_sent(sent: Fields) -> Fields:
    return {f"initial-{name}": value for name, value in sent.items()}


#: What a hidden field may say that its form showed, other than what it did.
_CLAIMS: Final[dict[str, Callable[[Fields], Fields]]] = {
    "as sent": _as_sent,
    "as empty": lambda sent: dict.fromkeys(_as_sent(sent), ""),
    "left out": lambda sent: {},
}


def _sent_with_an_old_sign_in(world: World, where: tuple[str, str], fields: Fields) -> Any:
    if where != ("ApiKey", "add"):
        return world.send(where, fields)
    grow_stale(world.browser)
    sent = {**fields, "organization": world.known["<acme>"]}
    return world.browser.post(page(ApiKey, "add"), sent)


@pytest.mark.parametrize(("where", "fields"), _PLAIN)
def test_what_widens_nothing_is_saved_at_once(
    world: World, where: tuple[str, str], fields: Fields
) -> None:
    grow_stale(world.browser)
    before = everything()

    assert world.send(where, fields).status_code == 302
    assert everything() != before


@pytest.mark.parametrize(("model", "action"), ACTIONS)
def test_actions_ask_where_the_table_says_so(world: World, model: str, action: str) -> None:
    row = _made_ready(world, model, action)
    grow_stale(world.browser)
    before = everything()

    answer = act(world.browser, action, row, confirmed="yes", reason="r", rate_limit_tier="high")

    where = urlsplit(answer.redirect_chain[-1][0]).path if answer.redirect_chain else ""
    asks = ACTIONS[(model, action)]
    assert (where == "/accounts/reauthenticate/") is asks
    assert (everything() == before) is (asks or action == "end_sessions")


def _made_ready(world: World, model: str, action: str) -> Model:
    """The row, in a state in which the action has something to do."""
    row = world.rows[model]
    if (model, action) == ("ServiceAccount", "enable"):
        services.set_service_account_enabled(row, enabled=False, actor=SYSTEM)  # type: ignore[arg-type]
    if action == "reopen":
        services.close_organization(row, actor=SYSTEM)  # type: ignore[arg-type]
    if (model, action) == ("ApiKey", "enable"):
        key_services.set_api_key_enabled(row, enabled=False, actor=SYSTEM)  # type: ignore[arg-type]
    if action == "remove_second_factors":
        RecoveryCodes.activate(row)
    return row

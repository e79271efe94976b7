"""Which operations of the pages require a recent sign-in. Each has a row."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client

from apikeys.services import Issued, update_api_key
from organizations.models import Invitation, Membership, Organization, ServiceAccount, User
from organizations.services import set_service_account_enabled
from tests.factories import (
    PASSWORD,
    SYSTEM,
    InvitationFactory,
    MembershipFactory,
    ServiceAccountFactory,
)
from tests.pages.support import grow_stale, html, sign_in, submission_of
from tests.security.matrix.routes import operations
from tests.support.domain import every_row

Fields = dict[str, Any]
_O: Final = "o/<slug:slug>/settings/"
_D: Final = f"{_O}developer/"
_KEY: Final = f"{_D}keys/<str:key_id>/"
_ACCOUNT: Final = f"{_D}service-accounts/<str:account_id>/"
_MEMBER: Final = f"{_O}members/<uuid:member_id>/"
_INVITATION: Final = f"{_O}members/invitations/<uuid:invitation_id>/"
_2FA: Final = "accounts/2fa/"
_END: Final = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(days=300)


def _end(days: int = 0) -> str:
    """The end of the key, or a moment so many days later."""
    return f"{_END + timedelta(days=days):%Y-%m-%dT%H:%M}"


#: Operations that widen authority or change who gets in: what is sent, one row for each way.
ASKS: Final[dict[str, list[Fields]]] = {
    f"{_D}keys/create/": [{"name": "New", "permissions": "full", "environment": "live"}],
    f"{_D}keys/delete/": [{"key": "<key_id>", "cascade": "on"}],
    f"{_D}keys/enable/": [{"key": "<key_id>"}],
    f"{_KEY}delete/": [{"typed": "Subject"}],
    f"{_KEY}rotate/": [{"grace": "0"}],
    f"{_KEY}switch/": [{"enabled": "yes"}],
    f"{_KEY}edit/": [
        {"name": "Subject", "scopes": ["search:read", "api-keys:manage"], "expires_at": _end()},
        {"name": "Subject", "scopes": ["search:read"], "expires_at": _end(1)},
        {"name": "Subject", "scopes": ["search:read"], "expires_at": ""},
    ],
    f"{_ACCOUNT}switch/": [{"enabled": "yes"}],
    f"{_O}leave/": [{}],
    f"{_O}close/": [{"typed": "Acme"}],
    f"{_O}members/invite/": [{"email": "new@acme.example", "role": "member"}],
    f"{_MEMBER}role/": [{"role": "admin"}],
    f"{_MEMBER}remove/": [{}],
    _INVITATION: [{"do": "resend"}],
}
#: The same in django-allauth's pages, which lead to a page of their own.
LEADS_AWAY: Final[dict[str, list[Fields]]] = {
    "accounts/email/": [
        {"action_add": "", "email": "new@acme.example"},
        {"action_remove": "", "email": "second@acme.example"},
        {"action_primary": "", "email": "second@acme.example"},
    ],
    "accounts/sessions/": [{}],
    "accounts/data/": [{}],
    f"{_2FA}totp/activate/": [{"code": "000000"}],
    f"{_2FA}totp/deactivate/": [{}],
    f"{_2FA}recovery-codes/generate/": [{}],
    f"{_2FA}webauthn/add/": [{"credential": "{}"}],
    f"{_2FA}webauthn/keys/<int:pk>/remove/": [{}],
}
#: Operations that an old sign-in is enough for, each with the reason.
GOES_ON: Final = {
    _O: "a name gives access to nothing",
    f"{_O}expiry/": "preselects what people can choose anyway",
    f"{_O}export/": "reads what the pages show, and is recorded",
    f"{_D}test/": "writes nothing",
    f"{_D}keys/disable/": "takes access away, and can be undone",
    f"{_D}service-accounts/create/": "an account has no key yet",
    f"{_ACCOUNT}edit/": "texts that people read",
    f"{_ACCOUNT}delete/": "its keys are deleted already",
    f"{_D}templates/create/": "a preset: the key that is made from it asks",
    f"{_D}templates/<str:template_id>/edit/": "a preset",
    f"{_D}templates/<str:template_id>/delete/": "a preset",
    "organizations/new/": "an organization that holds nothing yet, and touches no other",
    "invitations/<str:token>/": "the mailed link is the proof, and lets in its owner alone",
    f"{_2FA}webauthn/keys/<int:pk>/edit/": "a name that its owner reads",
    "accounts/password/change/": "asks for the old password",
    "accounts/password/set/": "for people without a password, whose only way in is a mailed link",
    "accounts/logout/": "ends this session alone",
    "theme/": "colors",
    "accounts/notifications/": "which emails one gets",
    "accounts/notifications/off/<str:token>/": "the link from the email is the proof",
    **dict.fromkeys(
        (
            ".well-known/change-password",
            ".well-known/security.txt",
            "favicon.ico",
            "robots.txt",
        ),
        "takes no form",
    ),
    **dict.fromkeys(
        (
            "accounts/login/",
            "accounts/login/code/confirm/",
            "accounts/signup/",
            "accounts/reauthenticate/",
            f"{_2FA}authenticate/",
            f"{_2FA}reauthenticate/",
            f"{_2FA}webauthn/login/",
            f"{_2FA}webauthn/reauthenticate/",
        ),
        "is a sign-in or a confirmation of it",
    ),
    **dict.fromkeys(
        (
            "accounts/password/reset/",
            r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
            "accounts/confirm-email/",
            r"accounts/^confirm-email/(?P<key>[-:\w]+)/$",
        ),
        "the mailed link is the proof",
    ),
}
_NOT_PAGES: Final = ("admin/", "^(?:v1|envelope|api)", "v1/", "api/", "envelope/")
_WAYS: Final = [(route, fields) for route, ways in ASKS.items() for fields in ways]
_AWAY: Final = [(route, fields) for route, ways in LEADS_AWAY.items() for fields in ways]


def test_every_operation_of_the_pages_has_a_row() -> None:
    posts = {route for route, method in operations() if method in {"POST", "PATCH", "DELETE"}}

    pages = {route for route in posts if not route.startswith(_NOT_PAGES)}

    assert pages == ASKS.keys() | LEADS_AWAY.keys() | GOES_ON.keys()
    assert len(pages) == len(ASKS) + len(LEADS_AWAY) + len(GOES_ON)


class World:
    """Acme, with a thing for each operation, and its admin's browser."""

    def __init__(self, browser: Client, subjects: dict[str, str]) -> None:
        self.browser, self.subjects = browser, subjects

    def send(self, route: str, fields: Fields, **more: Any) -> Any:
        """What the operation answers."""
        address = "/" + route
        for name, value in self.subjects.items():
            for kind in ("slug", "str", "uuid", "int"):
                address = address.replace(f"<{kind}:{name}>", value)
        sent = {**fields, **more}
        sent = {name: self._known(value) for name, value in sent.items()}
        if route.endswith(("create/", "rotate/")) and "submission" not in sent:
            sent["submission"] = submission_of(self.browser.get(address))
        return self.browser.post(address, sent)

    def _known(self, value: Any) -> Any:
        known = isinstance(value, str) and value.startswith("<") and value.strip("<>")
        return self.subjects[known] if known else value


@pytest.fixture
def world(
    browser: Client, acme: Organization, admin: User, member: User, make_key: Callable[..., Issued]
) -> World:
    MembershipFactory.create(organization=acme, role="admin")
    account: ServiceAccount = ServiceAccountFactory.create(organization=acme)
    set_service_account_enabled(account, enabled=False, actor=SYSTEM)
    EmailAddress.objects.create(user=admin, email="second@acme.example", verified=True)
    invitation: Invitation = InvitationFactory.create(organization=acme)
    key = make_key(name="Subject", scopes=["search:read"], expires_at=_END).key
    passkey = Authenticator.objects.create(user=admin, type="webauthn", data={"name": "Phone"})
    subjects = {
        "slug": acme.slug,
        "key_id": key.public_id,
        "account_id": account.public_id,
        "member_id": str(Membership.objects.get(user=member).pk),
        "invitation_id": str(invitation.pk),
        "pk": str(passkey.pk),
    }
    return World(browser, subjects)


def _everything() -> Any:
    tables = (User, EmailAddress, Authenticator)
    return every_row(), [list(table.objects.order_by("pk").values()) for table in tables]


@pytest.mark.parametrize(("route", "fields"), _WAYS)
def test_an_old_sign_in_is_asked_first_and_what_was_typed_is_done_afterwards(
    world: World, route: str, fields: Fields
) -> None:
    grow_stale(world.browser)
    before = _everything()

    asked = world.send(route, fields)

    assert asked.status_code == 422
    assert "Confirm it's you" in html(asked)
    assert _everything() == before
    carried: Fields = {}
    for name, value in asked.context["carried"]:
        carried.setdefault(name, []).append(value)
    refused = world.send(route, carried, confirm_password="wrong")
    assert (refused.status_code, _everything()) == (422, before)
    done = world.send(route, carried, confirm_password=PASSWORD)
    assert done.status_code in (201, 303), html(done)
    assert _everything() != before or route in (f"{_KEY}switch/", f"{_D}keys/enable/")


def test_a_key_that_is_narrowed_meanwhile_is_not_widened_by_what_it_was(
    world: World, make_key: Callable[..., Issued]
) -> None:
    """The form sends what the key may do, and names no version that it has looked at."""
    grow_stale(world.browser)
    wide, narrow = ["search:read", "events:read"], ["search:read"]
    key = make_key(name="Wide", scopes=wide).key
    world.subjects["key_id"] = key.public_id
    left = iter([lambda: update_api_key(key, actor=SYSTEM, changes={"scopes": narrow})])

    def narrows_first(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("SAVEPOINT"):  # where the operation begins
            next(left, lambda: None)()
        return execute(sql, *rest)

    with connection.execute_wrapper(narrows_first):
        answer = world.send(f"{_KEY}edit/", {"name": "Wide", "scopes": wide})

    assert answer.status_code == 422
    key.refresh_from_db()
    assert key.scopes == narrow
    assert next(left, None) is None


@pytest.mark.parametrize("factor", ["none", "app", "app alone"])
def test_another_way_is_offered_to_those_who_have_one(
    acme: Organization, admin: User, factor: str
) -> None:
    browser = sign_in(admin)
    if factor != "none":
        TOTP.activate(admin, generate_totp_secret())
    if factor == "app alone":
        User.objects.filter(pk=admin.pk).update(password=make_password(None))
        admin.refresh_from_db()
        browser.force_login(admin)
    else:
        grow_stale(browser)

    fields = {"email": "new@acme.example", "role": "member"}
    asked = html(browser.post("/o/acme/settings/members/invite/", fields))

    assert ("confirm with a passkey or a code in a new tab" in asked) is (factor != "none")
    assert ("Your password" in asked) is (factor != "app alone")


@pytest.mark.parametrize(("route", "fields"), _WAYS)
def test_a_recent_sign_in_is_enough(world: World, route: str, fields: Fields) -> None:
    done = world.send(route, fields)

    assert done.status_code in (201, 303), html(done)


@pytest.mark.parametrize(("route", "fields"), _AWAY)
def test_an_old_sign_in_is_led_to_its_confirmation(
    world: World, admin: User, route: str, fields: Fields
) -> None:
    if route.startswith(_2FA) and route != f"{_2FA}totp/activate/":
        TOTP.activate(admin, generate_totp_secret())
        RecoveryCodes.activate(admin)
    if not route.startswith(_2FA):  # an address can't be added beside a second factor
        Authenticator.objects.all().delete()
    grow_stale(world.browser)
    before = _everything()

    asked = world.send(route, fields)

    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert _everything() == before


@pytest.mark.parametrize(
    ("route", "fields"),
    [
        (f"{_KEY}edit/", {"name": "New", "scopes": ["search:read"], "expires_at": _end()}),
        (
            f"{_KEY}edit/",
            {"name": "Subject", "scopes": ["search:read"], "expires_at": _end(-1)},
        ),
        (f"{_KEY}switch/", {"enabled": "no"}),
        (f"{_D}keys/disable/", {"key": "<key_id>"}),
        (f"{_KEY}delete/", {"instead": "disable"}),
        (f"{_ACCOUNT}switch/", {"enabled": "no"}),
        (_INVITATION, {"do": "revoke"}),
        (_O, {"name": "Acme Ltd"}),
    ],
)
def test_what_takes_away_or_widens_nothing_goes_on_at_once(
    world: World, route: str, fields: Fields
) -> None:
    grow_stale(world.browser)

    assert world.send(route, fields).status_code == 303

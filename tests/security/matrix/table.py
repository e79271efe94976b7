"""Authorization table: expected responses by caller and class of operation, and its routes.

This is data. Nothing here is computed from the code under test.
"""

from typing import Final

#: A response: the status of a refusal, a redirect to a sign-in, "away" for a redirect to a page
#: open to all, or "yes" for anything that isn't a refusal.
Answer = int | str
YES: Final = "yes"
AWAY: Final = "away"
SIGN_IN: Final = "sign-in"
STAFF_SIGN_IN: Final = "staff sign-in"

USABLE_KEYS: Final = ("read-only", "managing", "test", "service", "foreign")
DEAD_KEYS: Final = ("expired", "revoked", "disabled")
SESSIONS: Final = ("admin", "member", "outsider", "staff", "clerk")
CALLERS: Final = ("anonymous", *USABLE_KEYS, *DEAD_KEYS, *SESSIONS)
DESCRIPTIONS: Final = {
    "anonymous": "no credential",
    "read-only": "Acme's key with `search:read`",
    "managing": "Acme's key with every scope",
    "test": "Acme's key with every scope, of the test environment",
    "service": "the key, with every scope, of a service account of Acme",
    "foreign": "Globex's key with every scope",
    "expired": "a key of Acme that has expired",
    "revoked": "a key of Acme that was revoked",
    "disabled": "a key of Acme that is disabled",
    "admin": "the session of an admin of Acme",
    "member": "the session of a member of Acme",
    "outsider": "the session of an admin of Globex",
    "staff": "the session of staff with every permission, in no organization",
    "clerk": "the session of staff without a permission, in no organization",
}


def _api(
    read_only: Answer, managing: Answer, test: Answer, service: Answer, foreign: Answer
) -> dict[str, Answer]:
    """The API: sessions and unusable keys count as no credential."""
    usable = (read_only, managing, test, service, foreign)
    return dict.fromkeys(CALLERS, 401) | dict(zip(USABLE_KEYS, usable, strict=True))


def _page(
    admin: Answer,
    member: Answer,
    outsider: Answer,
    staff: Answer,
    clerk: Answer,
    anonymous: Answer = SIGN_IN,
) -> dict[str, Answer]:
    """A page: keys count as no credential."""
    sessions = (admin, member, outsider, staff, clerk)
    return dict.fromkeys(CALLERS, anonymous) | dict(zip(SESSIONS, sessions, strict=True))


def _people(answer: Answer, anonymous: Answer = SIGN_IN) -> dict[str, Answer]:
    return _page(answer, answer, answer, answer, answer, anonymous=anonymous)


def _staff(staff: Answer, clerk: Answer) -> dict[str, Answer]:
    """The administration: customers count as signed out."""
    sign_in = STAFF_SIGN_IN
    return _page(sign_in, sign_in, sign_in, staff, clerk, anonymous=sign_in)


#: Class of operations → response to each caller.
CLASSES: Final[dict[str, dict[str, Answer]]] = {
    # The API                       read-only managing test service foreign
    "own keys": _api(403, YES, YES, YES, YES),
    "own key": _api(YES, YES, YES, YES, YES),
    "a live key": _api(403, YES, 404, YES, 404),
    "secret of a live key": _api(403, YES, 404, 403, 404),
    "keys of a workspace": _api(403, YES, YES, YES, 404),
    "templates, reading": _api(YES, YES, YES, YES, 404),
    "templates, writing": _api(403, YES, 403, YES, 404),
    # The pages          admin member outsider staff clerk
    "admins": _page(YES, 403, 404, 404, 404),
    "members": _page(YES, YES, 404, 404, 404),
    "signed-in people": _people(YES),
    "second factor not set up": _people(404),
    "second step of sign-in": _people(AWAY),
    "sign-in pages": _people(AWAY, anonymous=YES),
    "invited person": _people(404, anonymous=YES),
    # The administration  staff clerk
    "any staff": _staff(YES, YES),
    "staff with permission": _staff(YES, 403),
    "admin app index": _staff(YES, 404),
    "forbidden for staff": _staff(403, 403),
    "not found for staff": _staff(404, 404),
    "read-only for staff": _staff(405, 405),
    "staff sign-in page": _page(403, 403, 403, YES, YES, anonymous=SIGN_IN),
    "staff sign-out": _page(AWAY, AWAY, AWAY, YES, YES, anonymous=AWAY),
    "sign-out, other methods": _page(AWAY, AWAY, AWAY, 405, 405, anonymous=AWAY),
    "page for staff alone": _page(404, 404, 404, YES, YES, anonymous=404),
    # Everyone
    "everyone": _people(YES, anonymous=YES),
    "method not allowed": _people(405, anonymous=405),
    "unknown URL": _people(404, anonymous=404),
}
_FORM: Final = "GET POST PUT"
_OBJECT: Final = "DELETE GET PATCH POST PUT"


def _model(name: str, **different: str) -> dict[tuple[str, str], str]:
    """The pages of the administration about a model; `different` are those that are not usual."""
    usual = {
        ("", "GET POST"): "staff with permission",
        ("add/", "GET POST"): different.get("add", "staff with permission"),
        ("<path:object_id>/", _OBJECT): "any staff",  # leads to the next one
        ("<path:object_id>/change/", "GET"): "staff with permission",
        ("<path:object_id>/change/", "POST"): different.get("change", "staff with permission"),
        ("<path:object_id>/delete/", "GET POST"): "forbidden for staff",
        ("<path:object_id>/history/", "GET POST"): "staff with permission",
    }
    return {(f"admin/{name}/{rest}", methods): kind for (rest, methods), kind in usual.items()}


_DEVELOPER: Final = "o/<slug:slug>/settings/developer/"
_KEY: Final = f"{_DEVELOPER}keys/<str:key_id>/"
_TEMPLATE: Final = f"{_DEVELOPER}templates/<str:template_id>/"
_ROBOT: Final = f"{_DEVELOPER}service-accounts/<str:account_id>/"
_MEMBERS: Final = "o/<slug:slug>/settings/members/"
_WORKSPACE: Final = "api/v1/workspaces/<str:workspace_id>/api-keys"
_ACCOUNT: Final = "v1/accounts/<str:account_id>/templates"
_RESET: Final = r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"
_FACTOR: Final = "accounts/2fa/"

#: (route, methods) → class of operations.
ROWS: Final[dict[tuple[str, str], str]] = {
    # Canonical format
    ("v1/api-keys", "GET POST"): "own keys",
    ("v1/api-keys/current", "GET"): "own key",
    ("v1/api-keys/revoke", "POST"): "a live key",
    ("v1/api-keys/<str:id>", "GET PATCH DELETE"): "a live key",
    ("v1/api-keys/<str:id>/rotate", "POST"): "secret of a live key",
    ("v1/api-keys/<str:id>/usage", "GET"): "a live key",
    # Envelope format
    ("envelope/v1/api-keys", "GET POST"): "own keys",
    ("envelope/v1/api-keys/current", "GET"): "own key",
    ("envelope/v1/api-keys/<str:id>", "GET PATCH DELETE"): "a live key",
    ("envelope/v1/api-keys/<str:id>/rotate", "POST"): "secret of a live key",
    ("envelope/v1/api-keys/<str:id>/usage", "GET"): "a live key",
    # Workspace format
    (_WORKSPACE, "GET POST"): "keys of a workspace",
    (f"{_WORKSPACE}/<str:id>", "DELETE"): "a live key",
    # Account format
    (_ACCOUNT, "GET"): "templates, reading",
    (_ACCOUNT, "POST"): "templates, writing",
    (f"{_ACCOUNT}/<str:id>", "GET"): "templates, reading",
    (f"{_ACCOUNT}/<str:id>", "PATCH DELETE"): "templates, writing",
    # Schemas, and whatever else lies under the prefixes
    **{
        (f"{base}/openapi.{kind}", method): who
        for base in ("v1", "envelope/v1", "api/v1", "v1/accounts")
        for kind in ("json", "yaml")
        for method, who in (("GET", "everyone"), ("POST", "method not allowed"))
    },
    ("^(?:v1|envelope|api)(?:/.*)?$", "GET POST"): "unknown URL",
    # Health checks, guide, theme
    ("livez", "GET"): "everyone",
    ("readyz", "GET"): "everyone",
    ("docs/", "GET"): "everyone",
    **{
        (f"docs/{page}/", "GET"): "everyone"
        for page in (
            "authentication",
            "environments",
            "create",
            "permissions",
            "rotate",
            "delete",
            "calls",
            "errors",
            "limits",
            "formats",
            "scanning",
            "changes",
            "search",
        )
    },
    ("design/", "GET"): "page for staff alone",
    ("theme/", "GET"): "method not allowed",
    ("theme/", "POST"): "everyone",
    # Well-known files
    ("favicon.ico", "GET"): "everyone",
    ("favicon.ico", "POST"): "method not allowed",
    ("robots.txt", "GET"): "everyone",
    ("robots.txt", "POST"): "method not allowed",
    (".well-known/security.txt", "GET"): "unknown URL",  # without SECURITY_CONTACT
    (".well-known/security.txt", "POST"): "method not allowed",
    (".well-known/change-password", "GET"): "everyone",
    (".well-known/change-password", "POST"): "method not allowed",
    # Organizations
    ("", "GET"): "signed-in people",
    ("organizations/new/", "GET POST"): "signed-in people",
    ("invitations/<str:token>/", "GET"): "unknown URL",  # the token is nobody's
    ("invitations/<str:token>/", "POST"): "invited person",
    ("o/<slug:slug>/settings/", "GET"): "members",
    ("o/<slug:slug>/settings/", "POST"): "admins",
    ("o/<slug:slug>/settings/close/", "GET POST"): "admins",
    ("o/<slug:slug>/settings/expiry/", "GET POST"): "admins",
    ("o/<slug:slug>/settings/export/", "GET POST"): "admins",
    ("o/<slug:slug>/settings/leave/", "GET POST"): "members",
    (_MEMBERS, "GET"): "members",
    (f"{_MEMBERS}invite/", "GET POST"): "admins",
    (f"{_MEMBERS}<uuid:member_id>/role/", "GET POST"): "admins",
    (f"{_MEMBERS}<uuid:member_id>/remove/", "GET POST"): "admins",
    (f"{_MEMBERS}invitations/<uuid:invitation_id>/", "GET POST"): "admins",
    # Settings → Developer
    (_DEVELOPER, "GET"): "admins",
    (f"{_DEVELOPER}access/", "GET"): "admins",
    (f"{_DEVELOPER}activity/", "GET"): "admins",
    (f"{_DEVELOPER}activity/export/", "GET"): "admins",
    (f"{_DEVELOPER}usage/", "GET"): "admins",
    (f"{_DEVELOPER}usage/export/", "GET"): "admins",
    (f"{_DEVELOPER}test/", "GET POST"): "admins",
    (f"{_DEVELOPER}keys/create/", "GET POST"): "admins",
    (f"{_DEVELOPER}keys/delete/", "GET POST"): "admins",
    (f"{_DEVELOPER}keys/disable/", "GET POST"): "admins",
    (f"{_DEVELOPER}keys/enable/", "GET POST"): "admins",
    (f"{_DEVELOPER}keys/export/", "GET"): "admins",
    (_KEY, "GET"): "admins",
    (f"{_KEY}edit/", "GET POST"): "admins",
    (f"{_KEY}rotate/", "GET POST"): "admins",
    (f"{_KEY}switch/", "GET POST"): "admins",
    (f"{_KEY}delete/", "GET POST"): "admins",
    (f"{_DEVELOPER}templates/", "GET"): "members",
    (f"{_DEVELOPER}templates/create/", "GET POST"): "admins",
    (f"{_TEMPLATE}edit/", "GET POST"): "admins",
    (f"{_TEMPLATE}delete/", "GET POST"): "admins",
    (f"{_DEVELOPER}service-accounts/", "GET"): "admins",
    (f"{_DEVELOPER}service-accounts/create/", "GET POST"): "admins",
    (_ROBOT, "GET"): "admins",
    (f"{_ROBOT}edit/", "GET POST"): "admins",
    (f"{_ROBOT}switch/", "GET POST"): "admins",
    (f"{_ROBOT}delete/", "GET POST"): "admins",
    # A person's own account
    ("accounts/login/", _FORM): "sign-in pages",
    ("accounts/signup/", _FORM): "sign-in pages",
    ("accounts/login/code/confirm/", _FORM): "second step of sign-in",
    ("accounts/logout/", "GET"): "everyone",
    ("accounts/logout/", "POST"): "everyone",
    ("accounts/inactive/", "GET"): "everyone",
    ("accounts/reauthenticate/", _FORM): "signed-in people",
    ("accounts/sessions/", _FORM): "signed-in people",
    ("accounts/data/", "GET POST"): "signed-in people",
    ("accounts/notifications/", "GET POST"): "signed-in people",
    ("accounts/notifications/off/<str:token>/", "GET POST"): "unknown URL",  # nobody's token
    ("accounts/email/", _FORM): "signed-in people",
    ("accounts/confirm-email/", "GET"): "everyone",
    ("accounts/confirm-email/", "POST"): "method not allowed",
    (r"accounts/^confirm-email/(?P<key>[-:\w]+)/$", "GET"): "everyone",
    (r"accounts/^confirm-email/(?P<key>[-:\w]+)/$", "POST"): "unknown URL",  # nobody's link
    ("accounts/password/change/", _FORM): "signed-in people",
    ("accounts/password/set/", _FORM): "signed-in people",
    ("accounts/password/reset/", _FORM): "everyone",
    ("accounts/password/reset/done/", "GET"): "everyone",
    ("accounts/password/reset/key/done/", "GET"): "everyone",
    (_RESET, _FORM): "everyone",
    (_FACTOR, "GET"): "signed-in people",
    (f"{_FACTOR}authenticate/", "GET POST"): "second step of sign-in",
    (f"{_FACTOR}reauthenticate/", _FORM): "signed-in people",
    (f"{_FACTOR}totp/activate/", _FORM): "signed-in people",
    (f"{_FACTOR}totp/deactivate/", _FORM): "second factor not set up",
    (f"{_FACTOR}recovery-codes/", "GET"): "second factor not set up",
    (f"{_FACTOR}recovery-codes/download/", "GET"): "second factor not set up",
    (f"{_FACTOR}recovery-codes/generate/", _FORM): "signed-in people",
    (f"{_FACTOR}webauthn/", "GET"): "signed-in people",
    (f"{_FACTOR}webauthn/add/", _FORM): "signed-in people",
    (f"{_FACTOR}webauthn/login/", _FORM): "second step of sign-in",
    (f"{_FACTOR}webauthn/reauthenticate/", _FORM): "signed-in people",
    (f"{_FACTOR}webauthn/keys/<int:pk>/edit/", _FORM): "second factor not set up",
    (
        f"{_FACTOR}webauthn/keys/<int:pk>/remove/",
        "GET POST DELETE",
    ): "second factor not set up",
    # Administration
    ("admin/", "GET POST"): "any staff",
    ("admin/login/", "GET POST"): "staff sign-in page",
    ("admin/logout/", "GET"): "sign-out, other methods",
    ("admin/logout/", "POST"): "staff sign-out",
    ("admin/password_change/", "GET POST"): "any staff",
    ("admin/password_change/done/", "GET"): "any staff",
    ("admin/password_change/done/", "POST"): "read-only for staff",
    ("admin/jsi18n/", "GET"): "any staff",
    ("admin/jsi18n/", "POST"): "read-only for staff",
    ("admin/autocomplete/", "GET"): "forbidden for staff",  # it needs a field to complete
    ("admin/autocomplete/", "POST"): "read-only for staff",
    ("admin/r/<path:content_type_id>/<path:object_id>/", "GET POST"): "not found for staff",
    ("admin/^(?P<app_label>organizations|apikeys)/$", "GET POST"): "admin app index",
    ("admin/(?P<url>.*)$", "GET POST"): "not found for staff",
    **_model("organizations/organization"),
    **_model("organizations/serviceaccount"),
    **_model("organizations/user"),
    **_model("organizations/membership"),
    **_model("organizations/invitation", add="forbidden for staff", change="forbidden for staff"),
    **_model("organizations/auditevent", add="forbidden for staff", change="forbidden for staff"),
    **_model("organizations/follower", add="forbidden for staff", change="forbidden for staff"),
    **_model("apikeys/apikey", change="read-only for staff"),
    **_model("apikeys/keytemplate"),
}
#: (route, method) → what each caller is answered.
MATRIX: Final[dict[tuple[str, str], dict[str, Answer]]] = {
    (route, method): CLASSES[kind]
    for (route, methods), kind in ROWS.items()
    for method in methods.split()
}
CELLS: Final = len(MATRIX) * len(CALLERS)

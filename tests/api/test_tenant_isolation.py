"""Every operation by callers without permission. Checked for completeness against the URLs."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.urls import URLPattern

from apikeys.api import urls
from apikeys.services import Issued
from organizations.models import Organization
from tests.factories import TemplateFactory
from tests.support.api import CURRENT, never, stored, without_request_id
from tests.support.client import Answer, ApiClient

KEY = {"name": "Mine now", "scopes": ["search:read"]}
WORKSPACE = "api/v1/workspaces/<str:workspace_id>/api-keys"


@dataclass(frozen=True)
class Expected:
    """What each of those who may not is answered; a body to send."""

    outsider: int
    lesser: int
    sandbox: int
    body: dict[str, Any] = field(default_factory=dict)


#: (method, route): the outsider holds every scope in Globex, the lesser key one read scope in
#: Acme, the sandbox key every scope in Acme's test environment. What is asked for is Acme's, live.
EXPECTED = {
    ("GET", "v1/api-keys"): Expected(200, 403, 200),
    ("POST", "v1/api-keys"): Expected(201, 403, 201, KEY),
    ("GET", "v1/api-keys/current"): Expected(200, 200, 200),
    ("POST", "v1/api-keys/revoke"): Expected(404, 403, 404, {"ids": ["KEY_ID"], "cascade": True}),
    ("GET", "v1/api-keys/<str:id>"): Expected(404, 403, 404),
    ("PATCH", "v1/api-keys/<str:id>"): Expected(404, 403, 404, {"enabled": False}),
    ("DELETE", "v1/api-keys/<str:id>"): Expected(404, 403, 404),
    ("POST", "v1/api-keys/<str:id>/rotate"): Expected(404, 403, 404, {"force": True}),
    ("GET", "v1/api-keys/<str:id>/usage"): Expected(404, 403, 404),
    ("GET", "envelope/v1/api-keys"): Expected(200, 403, 200),
    ("POST", "envelope/v1/api-keys"): Expected(200, 403, 200, {"name": "Mine now"}),
    ("GET", "envelope/v1/api-keys/current"): Expected(200, 200, 200),
    ("GET", "envelope/v1/api-keys/<str:id>"): Expected(404, 403, 404),
    ("PATCH", "envelope/v1/api-keys/<str:id>"): Expected(404, 403, 404, {"enabled": False}),
    ("DELETE", "envelope/v1/api-keys/<str:id>"): Expected(404, 403, 404),
    ("POST", "envelope/v1/api-keys/<str:id>/rotate"): Expected(404, 403, 404, {"force": True}),
    ("GET", "envelope/v1/api-keys/<str:id>/usage"): Expected(404, 403, 404),
    ("GET", f"{WORKSPACE}"): Expected(404, 403, 200),
    ("POST", f"{WORKSPACE}"): Expected(404, 403, 201, {"name": "Mine now"}),
    ("DELETE", f"{WORKSPACE}/<str:id>"): Expected(404, 403, 404),
    ("GET", "v1/accounts/<str:account_id>/templates"): Expected(404, 200, 200),
    ("POST", "v1/accounts/<str:account_id>/templates"): Expected(404, 403, 403, KEY),
    ("GET", "v1/accounts/<str:account_id>/templates/<str:id>"): Expected(404, 200, 200),
    ("PATCH", "v1/accounts/<str:account_id>/templates/<str:id>"): Expected(404, 403, 403, KEY),
    ("DELETE", "v1/accounts/<str:account_id>/templates/<str:id>"): Expected(404, 403, 403),
}
CASES = [
    (method, route, who) for method, route in EXPECTED for who in ("outsider", "lesser", "sandbox")
]
#: Whoever may make a key makes their own, which is shown below.
CHANGELESS = [
    case for case in CASES if getattr(EXPECTED[case[:2]], case[2]) >= 300 or case[0] == "GET"
]
#: The account of the lesser key and of the sandbox key is their own.
WITH_FOREIGN_ID = [
    (method, route, who)
    for method, route, who in CASES
    if ("<" in route or route.endswith("/revoke"))
    and (who == "outsider" or not re.search("account|workspace", route))
]


@dataclass(frozen=True)
class Scene:
    """Acme's things, and those who ask for them."""

    ids: dict[str, str]
    never: dict[str, str]
    callers: dict[str, Issued]

    def ask(
        self, call: ApiClient, who: str, method: str, route: str, ids: dict[str, str]
    ) -> Answer:
        kind = "template" if "templates" in route else "key"
        path = route.replace("<str:id>", ids[kind])
        for name in ("account_id", "workspace_id"):
            path = path.replace(f"<str:{name}>", ids["account"])
        body = json.dumps(EXPECTED[method, route].body).replace("KEY_ID", ids["key"])
        return call(method, f"/{path}", body.encode(), key=self.callers[who])


@pytest.fixture
def scene(
    call: ApiClient,
    manager: Issued,
    acme: Organization,
    foreigner: Issued,
    reader: Issued,
    sandbox: Issued,
) -> Scene:
    template = TemplateFactory.create(organization=acme)
    callers = {"outsider": foreigner, "lesser": reader, "sandbox": sandbox}
    for issued in callers.values():
        call("GET", CURRENT, key=issued)  # a key's last use is written on its first call
    return Scene(
        ids={
            "account": acme.public_id,
            "key": manager.key.public_id,
            "template": template.public_id,
        },
        never={"account": never("org"), "key": never("key"), "template": never("tpl")},
        callers=callers,
    )


def test_every_operation_has_a_row() -> None:
    patterns = [p for p in urls.urlpatterns if isinstance(p, URLPattern)]
    views = [p for p in patterns if hasattr(p.callback, "actions")]
    operations = {
        (method.upper(), str(pattern.pattern))
        for pattern in views
        for method in vars(pattern.callback)["actions"]
    }

    assert operations - {("HEAD", str(pattern.pattern)) for pattern in views} == set(EXPECTED)
    schemas = 2 * len(urls.SCHEMAS)
    assert len(patterns) == len(views) + schemas + 1, "else only the 404 of the prefixes"


@pytest.mark.parametrize(("method", "route", "who"), CASES)
def test_the_answer_is_the_documented_one(
    call: ApiClient, scene: Scene, method: str, route: str, who: str
) -> None:
    answer = scene.ask(call, who, method, route, scene.ids)

    assert answer.status == getattr(EXPECTED[method, route], who)


@pytest.mark.parametrize(("method", "route", "who"), CHANGELESS)
def test_no_row_of_any_table_changes(
    call: ApiClient, scene: Scene, method: str, route: str, who: str
) -> None:
    before = stored()

    scene.ask(call, who, method, route, scene.ids)

    assert stored() == before


def test_the_comparison_of_rows_notices_the_owner_s_own_change(
    call: ApiClient, scene: Scene, manager: Issued
) -> None:
    before = stored()

    call("PATCH", f"/v1/api-keys/{scene.ids['key']}", {"enabled": True}, key=manager)

    changed = {table for table, rows in stored().items() if rows != before[table]}
    assert changed == {"apikeys.ApiKey", "apikeys.ApiKeySecret"}, "the owner used a key: written"


@pytest.mark.parametrize(("method", "route", "who"), WITH_FOREIGN_ID)
def test_another_s_id_and_one_that_never_was_get_one_answer(
    call: ApiClient, scene: Scene, method: str, route: str, who: str
) -> None:
    theirs = scene.ask(call, who, method, route, scene.ids)
    missing = scene.ask(call, who, method, route, scene.never)

    assert without_request_id(theirs) == without_request_id(missing)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_foreign_template_looks_like_none_under_one_s_own_account(
    call: ApiClient, scene: Scene, globex: Organization, method: str
) -> None:
    route = "v1/accounts/<str:account_id>/templates/<str:id>"
    own = {"account": globex.public_id}

    theirs = scene.ask(call, "outsider", method, route, {**scene.ids, **own})
    missing = scene.ask(call, "outsider", method, route, {**scene.never, **own})

    assert theirs.status == 404
    assert without_request_id(theirs) == without_request_id(missing)


@pytest.mark.parametrize("who", ["outsider", "sandbox"])
def test_a_key_that_they_make_is_their_own(call: ApiClient, scene: Scene, who: str) -> None:
    made = scene.ask(call, who, "POST", "v1/api-keys", scene.ids).body
    maker = call("GET", CURRENT, key=scene.callers[who]).body
    current = call("GET", CURRENT, key=made["key"]).body

    assert current["organization"] == maker["organization"]
    assert current["livemode"] == maker["livemode"]


@pytest.mark.parametrize("who", ["outsider", "sandbox"])
def test_their_lists_do_not_mention_the_key(call: ApiClient, scene: Scene, who: str) -> None:
    listed = scene.ask(call, who, "GET", "v1/api-keys", scene.ids)

    assert scene.callers[who].key.public_id.encode() in listed.raw
    assert scene.ids["key"].encode() not in listed.raw

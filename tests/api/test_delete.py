"""DELETE /v1/api-keys/{id} revokes a key."""

from collections.abc import Callable

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import AuditEvent
from tests.support.api import CURRENT, KEYS, UTC_Z, MakeKey, never, one
from tests.support.client import ApiClient


def test_the_answer_is_the_revoked_object(call: ApiClient, manager: Issued, reader: Issued) -> None:
    answer = call("DELETE", one(reader), key=manager)

    assert answer.status == 200
    assert (answer.body["id"], answer.body["status"]) == (reader.key.public_id, "revoked")
    assert UTC_Z.fullmatch(answer.body["revoked_at"])
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_deleted_key_is_refused_on_the_next_call(
    call: ApiClient, manager: Issued, reader: Issued
) -> None:
    assert call("GET", CURRENT, key=reader).status == 200
    call("DELETE", one(reader), key=manager)

    assert call("GET", CURRENT, key=reader).status == 401


def test_deleting_again_is_200_and_changes_nothing(
    call: ApiClient,
    manager: Issued,
    reader: Issued,
    events: Callable[..., list[AuditEvent]],
) -> None:
    first = call("DELETE", one(reader), key=manager)
    second = call("DELETE", one(reader), key=manager)

    assert second.status == 200
    assert {**second.body, "request_id": ""} == {**first.body, "request_id": ""}
    assert len(events("api_key.revoked")) == 1


def test_a_deleted_key_can_still_be_read(call: ApiClient, manager: Issued, reader: Issued) -> None:
    call("DELETE", one(reader), key=manager)

    assert call("GET", one(reader), key=manager).body["status"] == "revoked"


def test_a_key_may_revoke_itself(call: ApiClient, manager: Issued) -> None:
    assert call("DELETE", one(manager), key=manager).status == 200
    assert call("DELETE", one(manager), key=manager).error["code"] == "key_revoked"


def test_a_lesser_manager_may_revoke_a_stronger_key(
    call: ApiClient, make_key: MakeKey, manager: Issued
) -> None:
    # Stopping a leaked key takes authority away, which needs no authority over its scopes.
    lesser = make_key(scopes=["api-keys:manage"])

    assert call("DELETE", one(manager), key=lesser).status == 200


def test_nothing_but_the_one_key_is_revoked(
    call: ApiClient, manager: Issued, reader: Issued, make_key: MakeKey
) -> None:
    other = make_key()
    call("DELETE", one(reader), key=manager)

    revoked = ApiKey.objects.filter(revoked_at__isnull=False)
    assert [key.id for key in revoked] == [reader.key.id]
    assert call("GET", CURRENT, key=other).status == 200


def test_a_key_that_does_not_exist_is_404(call: ApiClient, manager: Issued) -> None:
    assert call("DELETE", f"{KEYS}/{never('key')}", key=manager).status == 404


def test_a_key_without_the_scope_may_not_delete_even_itself(
    call: ApiClient, reader: Issued
) -> None:
    answer = call("DELETE", one(reader), key=reader)

    assert (answer.status, answer.error["code"]) == (403, "insufficient_scope")


def test_deleting_without_a_key_is_401(call: ApiClient, reader: Issued) -> None:
    assert call("DELETE", one(reader)).status == 401

"""Responses state the true expiry of keys and secrets."""

from datetime import timedelta

from django.utils import timezone

from apikeys.services import Issued
from tests.support.api import MakeKey
from tests.support.client import ApiClient


def test_an_overlap_is_not_said_to_outlast_the_key(
    call: ApiClient, manager: Issued, make_key: MakeKey
) -> None:
    mortal = make_key(expires_at=(timezone.now() + timedelta(hours=1)).replace(microsecond=0))
    path = f"/v1/api-keys/{mortal.key.public_id}/rotate"

    answer = call("POST", path, {"grace_period": 604_800}, key=manager)

    assert answer.body["previous_secret_expires_at"] == answer.body["expires_at"]


def test_a_repeated_parameter_is_refused(call: ApiClient, manager: Issued) -> None:
    answer = call("GET", "/v1/api-keys?status=active&status=revoked", key=manager)

    assert (answer.status, answer.fields) == (400, ["status"])


def test_thousands_of_unknown_fields_are_not_all_named(call: ApiClient, manager: Issued) -> None:
    body = {f"field{number}": 1 for number in range(4_000)}

    answer = call("POST", "/v1/api-keys", body, key=manager)

    assert answer.status == 400
    assert len(answer.fields) == 50

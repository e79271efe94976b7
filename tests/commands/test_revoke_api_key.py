"""manage.py revoke_api_key."""

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command

from apikeys.models import ApiKey
from apikeys.services import Issued
from apikeys.verification.types import Refusal
from apikeys.verification.verify import verify
from organizations.models import AuditEvent, Organization
from tests.factories import IssuedKeyFactory
from tests.support.domain import acting


def revoke(*arguments: str) -> str:
    output = io.StringIO()
    call_command("revoke_api_key", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("form", ["public_id", "pk"])
def test_a_key_named_by_either_id_is_revoked(form: str, reader: Issued) -> None:
    said = revoke(str(getattr(reader.key, form)))

    assert said.startswith(f"{reader.key.public_id} “Reader” was revoked at ")
    assert verify(reader.secret).refusal is Refusal.REVOKED


def test_the_reason_is_kept_in_the_trail(
    reader: Issued, events: Callable[..., list[AuditEvent]]
) -> None:
    revoke(reader.key.public_id, "--reason", "Found in a log.")

    (event,) = events("api_key.revoked")
    assert event.details == {"reason": "Found in a log."}
    assert event.actor_label == "revoke_api_key"


def test_a_revoked_key_stays_as_it_is(
    reader: Issued, events: Callable[..., list[AuditEvent]]
) -> None:
    first, second = revoke(reader.key.public_id), revoke(reader.key.public_id)

    assert first == second
    assert len(events("api_key.revoked")) == 1


def test_other_keys_go_on_working(reader: Issued, manager: Issued) -> None:
    revoke(reader.key.public_id)

    assert verify(manager.secret).refusal is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["key_", "reader", "key_0000000000000000000000", "org_0000000000000000000000"]
)
def test_an_id_of_nothing_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match=f"Unknown API key ID “{text}”."):
        revoke(text)


def test_a_secret_in_the_reason_is_refused_and_kept_nowhere(
    reader: Issued, manager: Issued, events: Callable[..., list[AuditEvent]]
) -> None:
    with pytest.raises(CommandError, match="This contains an API key") as refusal:
        revoke(reader.key.public_id, "--reason", f"It was {manager.secret}")

    assert manager.secret not in str(refusal.value)
    assert ApiKey.objects.get(pk=reader.key.pk).revoked_at is None
    assert not events("api_key.revoked")


def test_several_keys_are_revoked_together(
    reader: Issued, manager: Issued, events: Callable[..., list[AuditEvent]]
) -> None:
    said = revoke(reader.key.public_id, str(manager.key.pk), reader.key.public_id, "--reason", "x")

    assert [line.split(" was ")[0] for line in said.splitlines()] == [
        f"{reader.key.public_id} “Reader”",
        f"{manager.key.public_id} “Manager”",
    ]
    assert not ApiKey.objects.unrevoked().exists()
    assert [event.details for event in events("api_key.revoked")] == [{"reason": "x"}] * 2


def test_an_id_of_nothing_among_others_revokes_none(reader: Issued, manager: Issued) -> None:
    with pytest.raises(CommandError, match="Unknown API key ID “nothing”"):
        revoke(reader.key.public_id, "nothing", manager.key.public_id)

    assert ApiKey.objects.unrevoked().count() == 2


@pytest.mark.parametrize(("options", "left"), [((), {"Child"}), (("--cascade",), set())])
def test_what_a_key_created_is_revoked_on_request(
    manager: Issued, acme: Organization, options: tuple[str, ...], left: set[str]
) -> None:
    fields = {"organization": acme, "scopes": ["search:read"], "actor": acting(manager)}
    IssuedKeyFactory.create(name="Child", **fields)

    said = revoke(manager.key.public_id, *options)

    assert set(ApiKey.objects.unrevoked().values_list("name", flat=True)) == left
    assert len(said.splitlines()) == 2 - len(left)

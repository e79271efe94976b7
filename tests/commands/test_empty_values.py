"""An empty value, such as an unset shell variable in quotes, doesn't count as no value."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command, get_commands, load_command_class

from apikeys.models import ApiKey
from apikeys.services import Issued
from organizations.models import Organization, User
from tests.support.processes import GOOD_SECRETS, manage

pytestmark = pytest.mark.django_db

CREATE_KEY = ["create_api_key", "--organization", "acme", "--name", "New"]
CREATE_ORGANIZATION = ["create_organization", "New", "--admin-email", "new@acme.example"]
OWN = ("organizations", "apikeys")


@pytest.mark.parametrize("value", ["", " "])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        (CREATE_KEY, "--expires-at"),
        (CREATE_KEY, "--scope"),
        (CREATE_KEY, "--environment"),
        (CREATE_KEY, "--organization"),
        (CREATE_KEY, "--name"),
        (CREATE_ORGANIZATION, "--admin-password"),
        (CREATE_ORGANIZATION, "--admin-email"),
        (["prune_usage"], "--days"),
        (["demo"], "--host"),
        (["demo"], "--port"),
        (["demo"], "--workers"),
    ],
)
def test_an_option_with_an_empty_value_is_refused(
    command: list[str], option: str, value: str, acme: Organization
) -> None:
    organizations = Organization.objects.count()
    with pytest.raises(CommandError, match=f"argument {option}: "):
        call_command(*command, f"{option}={value}")

    assert not ApiKey.objects.exists()
    assert Organization.objects.count() == organizations
    assert not User.objects.filter(email="new@acme.example").exists()


@pytest.mark.parametrize(("added", "argument"), [(["--reason", ""], "--reason"), ([""], "ID")])
def test_a_key_is_not_revoked_with_an_empty_value(
    added: list[str], argument: str, manager: Issued
) -> None:
    with pytest.raises(CommandError, match=f"argument {argument}: the value is empty"):
        call_command("revoke_api_key", manager.key.public_id, *added)

    assert ApiKey.objects.get().revoked_at is None


def test_schemas_are_not_written_into_an_empty_folder_name() -> None:
    with pytest.raises(CommandError, match="argument folder: the value is empty"):
        call_command("write_schemas", "")


def test_the_command_line_names_the_option_and_the_way_out(tmp_path: Path) -> None:
    run = manage(*CREATE_KEY, "--expires-at", "", VAR_DIR=str(tmp_path), **GOOD_SECRETS)

    assert run.returncode == 2
    assert run.stderr.splitlines()[-1].endswith(
        "argument --expires-at: the value is empty. Set it, or omit the option if it is optional."
    )


@pytest.mark.parametrize("name", [n for n, app in get_commands().items() if app in OWN])
def test_every_text_of_every_command_is_checked(name: str) -> None:
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    inherited = {"settings", "pythonpath", "help", "version"}
    texts = [
        action.dest
        for action in parser._actions
        if action.nargs != 0 and action.type is None and not action.choices
    ]

    assert set(texts) <= inherited

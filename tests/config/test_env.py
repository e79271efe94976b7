"""Environment variables: required, valid and default values."""

import os
import re
import stat
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from tests.support.processes import GOOD_SECRETS, manage

SHORT = "x" * 49
BAD_SITE_URLS = [
    "keys.example.com",
    "http://keys.example.com",
    "https://",
    "https://keys.example.com:port",
    "https://keys.example.com/path",
    "https://name@keys.example.com",
    "https://keys.example.com?query",
    "https://keys example.com",
    "https://[::1",
]


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": SHORT}, "SECRET_KEY"),
        ({"SECRET_KEY": "change-me" * 10}, "SECRET_KEY"),
        ({"API_KEY_PEPPERS": ""}, "API_KEY_PEPPERS"),
        ({"API_KEY_PEPPERS": "1:short-pepper"}, "API_KEY_PEPPERS"),
        ({"API_KEY_PEPPERS": "x" * 60}, "API_KEY_PEPPERS"),
        ({"API_KEY_PEPPERS": "1:" + "change-me" * 5}, "API_KEY_PEPPERS"),
        ({"DATABASE_URL": "postgres://latchkey:change-me@127.0.0.1/latchkey"}, "DATABASE_URL"),
        ({"REDIS_URL": "nonsense"}, "REDIS_URL"),
        ({"SESSION_DAYS": "0"}, "SESSION_DAYS"),
        ({"SESSION_DAYS": "366"}, "SESSION_DAYS"),
        ({"SESSION_IDLE_MINUTES": "soon"}, "SESSION_IDLE_MINUTES"),
        ({"KEYS_PER_ORGANIZATION": "many"}, "KEYS_PER_ORGANIZATION"),
        ({"KEYS_PER_ORGANIZATION": "-1"}, "KEYS_PER_ORGANIZATION"),
        ({"RETENTION_ADDRESS_DAYS": "29"}, "RETENTION_ADDRESS_DAYS to a number of days from 30"),
        ({"RETENTION_USAGE_DAYS": "90"}, "RETENTION_USAGE_DAYS to a number of days from 91"),
        ({"RETENTION_SECRET_DAYS": "long"}, "RETENTION_SECRET_DAYS"),  # pragma: allowlist secret
        ({"RETENTION_SUBMISSION_DAYS": "36501"}, "RETENTION_SUBMISSION_DAYS"),
        ({"RETENTION_UNCONFIRMED_DAYS": "1"}, "RETENTION_UNCONFIRMED_DAYS"),
        ({"SITE_URL": ""}, "SITE_URL"),
        *(({"SITE_URL": value}, "SITE_URL") for value in BAD_SITE_URLS),
        ({"ENV_FILE": "no-such-file.env"}, "ENV_FILE"),
    ],
)
def test_a_start_without_proper_settings_ends_with_a_sentence_that_names_the_variable(
    variables: dict[str, str], name: str, tmp_path: Path
) -> None:
    run = manage("check", **{**GOOD_SECRETS, "VAR_DIR": str(tmp_path), **variables})

    assert run.returncode == 1
    assert name in run.stderr.splitlines()[0]
    assert len(run.stderr.splitlines()) == 1
    assert not any(value in run.stderr for value in (SHORT, "short-pepper", "x" * 60))


def test_a_start_with_secrets_of_its_own_goes_on(tmp_path: Path) -> None:
    run = manage("check", **GOOD_SECRETS, VAR_DIR=str(tmp_path / "kept" / "here"))

    assert run.returncode == 0, run.stderr
    assert stat.S_IMODE((tmp_path / "kept" / "here").stat().st_mode) == 0o700


def test_generated_secrets_are_good_enough_and_new_each_time(tmp_path: Path) -> None:
    first, second = manage("generate_secrets").stdout, manage("generate_secrets").stdout
    made = dict(line.split("=", 1) for line in first.splitlines())
    run = manage("check", VAR_DIR=str(tmp_path), **made)

    assert set(made) == {"SECRET_KEY", "API_KEY_PEPPERS"}
    assert first != second
    assert run.returncode == 0, run.stderr


def test_a_settings_file_is_read_and_real_variables_come_first(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    lines = [f"{name}={value}" for name, value in GOOD_SECRETS.items()]
    file.write_text("\n".join([*lines, "SITE_NAME=From the file", "API_KEY_BRAND=file"]))
    script = "from django.conf import settings as s; print(s.SITE_NAME, s.API_KEY_BRAND)"
    run = manage(
        *("shell", "--verbosity=0", "-c", script),
        ENV_FILE=str(file),
        VAR_DIR=str(tmp_path),
        API_KEY_BRAND="real",
    )

    assert run.stdout.strip() == "From the file real", run.stderr


@pytest.mark.parametrize("brand", ["", "Sig", "1sig", "sig_", "sig-x", "s" * 17, "síg"])
def test_a_brand_that_would_break_the_format_is_refused(
    brand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY_BRAND", brand)

    with pytest.raises(ImproperlyConfigured, match="API_KEY_BRAND"):
        env.brand()


def test_networks_are_addresses_and_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,fd00::/8,")

    expected = [ip_network(text) for text in ("127.0.0.1/32", "10.0.0.0/8", "fd00::/8")]
    assert list(env.networks("TRUSTED_PROXIES")) == expected


def test_ipv4_networks_written_as_ipv6_are_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "::ffff:10.0.0.1,::ffff:10.0.0.0/104")

    expected = [ip_network(text) for text in ("10.0.0.1/32", "10.0.0.0/8")]
    assert list(env.networks("TRUSTED_PROXIES")) == expected


@pytest.mark.parametrize(
    "text",
    ["proxy.example", "10.0.0.1/8", "300.0.0.1", "*", "::ffff:0:0/95", "::ffff:10.0.0.1/104"],
)
def test_anything_else_is_no_network(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", text)

    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        env.networks("TRUSTED_PROXIES")


def test_log_levels_are_taken_in_any_case_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "warning")
    assert env.log_level() == "WARNING"

    monkeypatch.setenv("LOG_LEVEL", "loud")
    with pytest.raises(ImproperlyConfigured, match="LOG_LEVEL"):
        env.log_level()


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "postgress://name:pass-word@host/database",
        "postgres://name:pass-word@host:port/database",
        "postgres://name:pass-word@[host/database",
    ],
)
def test_text_that_is_no_address_is_no_database(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", text)

    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refusal:
        env.database()
    assert "pass-word" not in str(refusal.value)


def test_options_in_the_address_of_the_database_are_kept(tmp_path: Path) -> None:
    script = "from django.conf import settings as s; print(s.DATABASES['default']['OPTIONS'])"
    address = "postgres://name@127.0.0.1/name?sslmode=verify-full"
    run = manage(
        *("shell", "--verbosity=0", "-c", script),
        **GOOD_SECRETS,
        VAR_DIR=str(tmp_path),
        DATABASE_URL=address,
    )

    assert "'sslmode': 'verify-full'" in run.stdout, run.stderr
    assert "'connect_timeout': 2" in run.stdout


@pytest.mark.parametrize(
    ("options", "threshold"),
    [
        ("", 0),
        ("?DISABLE_SERVER_SIDE_CURSORS=true", None),
        ("?DISABLE_SERVER_SIDE_CURSORS=true&prepare_threshold=0", 0),
    ],
)
def test_statements_are_prepared_unless_a_pooler_is_between(
    options: str, threshold: int | None, tmp_path: Path
) -> None:
    script = "from django.conf import settings as s; print(s.DATABASES['default']['OPTIONS'])"
    run = manage(
        *("shell", "--verbosity=0", "-c", script),
        **GOOD_SECRETS,
        VAR_DIR=str(tmp_path),
        DATABASE_URL=f"postgres://name@127.0.0.1/name{options}",
    )

    assert f"'prepare_threshold': {threshold}" in run.stdout, run.stderr


def test_an_old_name_is_accepted_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PATIENCE", "0.7")

    with pytest.warns(FutureWarning, match="Rename REDIS_PATIENCE to REDIS_TIMEOUT"):
        assert env.seconds("REDIS_TIMEOUT", 0.2, old_name="REDIS_PATIENCE") == 0.7


def test_an_old_name_with_a_bad_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PATIENCE", "soon")

    with pytest.warns(FutureWarning), pytest.raises(ImproperlyConfigured, match="REDIS_PATIENCE"):
        env.seconds("REDIS_TIMEOUT", 0.2, old_name="REDIS_PATIENCE")


def test_an_old_name_next_to_the_new_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_PATIENCE", "0.7")
    monkeypatch.setenv("REDIS_TIMEOUT", "0.2")

    with pytest.raises(ImproperlyConfigured, match="Remove REDIS_PATIENCE"):
        env.seconds("REDIS_TIMEOUT", 0.2, old_name="REDIS_PATIENCE")


@pytest.mark.parametrize("name", ["DATABASE", "REDIS"])
def test_the_timeouts_of_before_still_work(name: str, tmp_path: Path) -> None:
    shown = f"from django.conf import settings; print(settings.{name}_TIMEOUT)"
    kept = {**GOOD_SECRETS, "ENV_FILE": "/dev/null", "VAR_DIR": str(tmp_path)}
    kept |= {f"{name}_PATIENCE": "7", "DJANGO_SETTINGS_MODULE": "config.settings.base"}

    process = manage("shell", "-c", shown, **kept)

    assert process.stdout.splitlines()[-1] == "7.0"
    assert f"Rename {name}_PATIENCE to {name}_TIMEOUT." in process.stderr


def test_lists_are_split_at_commas_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOWED_HOSTS", "a.example, b.example ,")

    assert env.words("ALLOWED_HOSTS", []) == ["a.example", "b.example"]


SWITCHES = [
    "API_ACCESS_LOG",
    "DEBUG",
    "PASSKEYS_WITHOUT_HTTPS",
    "STAFF_SECOND_FACTOR",
    "USE_FORWARDED_HEADER",
]


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize(
    ("text", "on"),
    [
        *((text, True) for text in ("on", "On", "true", "TRUE", "yes", "1")),
        *((text, False) for text in ("off", "OFF", "false", "False", "no", "0")),
    ],
)
def test_switches_are_on_or_off(
    name: str, text: str, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)

    assert env.flag(name, default=not on) is on


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize(
    "text", ["on # comment", "enabled", "t", "y", "ok", "2", "01", "", " ", "on ", "“on”", "None"]
)
def test_other_words_are_refused_for_a_switch(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)

    with pytest.raises(ImproperlyConfigured, match=f"^Set {name} to “on” or “off”"):
        env.flag(name)


@pytest.mark.parametrize("name", SWITCHES)
def test_a_misspelled_switch_stops_the_start(name: str, tmp_path: Path) -> None:
    run = manage("check", **GOOD_SECRETS, VAR_DIR=str(tmp_path), **{name: "on # comment"})

    assert run.returncode == 1
    assert run.stderr.startswith(f"Set {name} to “on” or “off”")
    assert len(run.stderr.splitlines()) == 1


def test_every_switch_of_the_settings_is_tried_here() -> None:
    source = (env.ROOT / "config/settings/base.py").read_text()

    assert sorted(re.findall(r"env\.flag\(\"(\w+)\"", source)) == SWITCHES


def test_debug_is_off_unless_it_is_switched_on() -> None:
    assert "DEBUG" not in os.environ
    assert env.flag("DEBUG") is False


def test_only_commands_fall_back_to_the_secrets_of_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = tmp_path / "demo.env"
    demo.write_text("SITE_NAME=From the demo\n")
    monkeypatch.setattr(env, "DEMO_FILE", demo)
    monkeypatch.setattr(env, "ROOT", tmp_path)
    monkeypatch.delenv("ENV_FILE", raising=False)
    monkeypatch.setenv("SITE_NAME", "")
    monkeypatch.delenv("SITE_NAME")

    env.load()
    assert env.text("SITE_NAME") == ""

    env.load(for_command=True)
    assert env.text("SITE_NAME") == "From the demo"


@pytest.mark.parametrize(
    "name", ["HTTP_AUTHORIZATION", "HTTP_COOKIE", "CONTENT_LENGTH", "SCRIPT_URL", "REDIRECT_URL"]
)
def test_parts_of_a_request_are_removed_from_the_environment(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "settings.env"
    file.write_text(f"HTTP_FROM_THE_FILE=x\n{name}=x\n")
    monkeypatch.setenv("ENV_FILE", str(file))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv(name, "x")
    env.load()

    assert name not in os.environ
    assert "HTTP_FROM_THE_FILE" not in os.environ
    assert os.environ["HTTPS_PROXY"] == "http://proxy.example"

"""The container files refer only to existing files. Building the image needs a container engine."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from django.core.management import get_commands

from config.env import ROOT
from tests.support.processes import GOOD_SECRETS, manage

DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = (ROOT / "compose.yaml").read_text()


def _commands(text: str) -> list[list[str]]:
    """The commands that are written as JSON lists."""
    found = re.findall(r"(?:CMD|command:|test:)\s+(\[.*\])", text)
    return [json.loads(item) for item in found]


def test_what_the_image_copies_is_there_and_sent_to_the_engine() -> None:
    copied = re.findall(r"^COPY (?:--chmod=\d+ )?(?!--)(\S+) ", DOCKERFILE, re.MULTILINE)
    sent = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert {"manage.py", "config", "requirements/base.txt"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert {name.split("/")[0] for name in copied} == set(sent)


def test_a_checkout_with_private_modes_makes_an_image_that_its_user_can_read() -> None:
    """The engine keeps the modes of what it copies, and the image does not run as root."""
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    copied = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    modes = [re.match(r"--chmod=(\d+) ", line) for line in copied]

    assert "USER latchkey" in last_stage
    assert len(copied) >= 7
    for line, mode in zip(copied, modes, strict=True):
        assert mode, line
        assert int(mode[1], 8) & 0o005 == 0o005, line


def test_the_image_has_every_app_and_every_folder_of_the_settings() -> None:
    copied = set(re.findall(r"^COPY (?:--chmod=\d+ )?(?!--)(\S+) ", DOCKERFILE, re.MULTILINE))
    tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    packages = {name.split("/")[0] for name in tracked if name.count("/") and "init" in name}

    assert packages - {"tests", "benchmarks"} <= copied
    assert {"templates", "static"} <= copied


def test_the_image_installs_with_hashes_and_does_not_run_as_root() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]

    assert "--require-hashes -r requirements/base.txt" in DOCKERFILE
    assert re.search(r"^USER latchkey$", last_stage, re.MULTILINE)
    assert not re.search(r"SECRET_KEY|PEPPERS", DOCKERFILE)


def test_the_commands_exist() -> None:
    commands = _commands(DOCKERFILE) + _commands(COMPOSE)
    managed = re.findall(r"python manage\.py (\w+)", DOCKERFILE)
    managed += [words[2] for words in commands if words[1:2] == ["manage.py"]]

    assert len(commands) == 6
    assert set(managed) == {"generate_secrets", "collectstatic", "migrate"}
    assert set(managed) <= {*get_commands(), "generate_secrets"}


def test_the_server_knows_its_options() -> None:
    (words,) = [words for words in _commands(DOCKERFILE) if words[0] == "granian"]
    options = [word for word in words if word.startswith("--")]
    known = subprocess.check_output([sys.executable, "-m", "granian", "--help"], text=True)

    assert words[-1] == "config.wsgi:application"
    assert find_spec("config.wsgi")
    assert [option for option in options if not re.search(rf"{option}\b", known)] == []
    assert "GRANIAN_WORKERS" in known


def test_the_health_check_of_the_image_is_python() -> None:
    (words,) = [words for words in _commands(DOCKERFILE) if "urlopen" in words[-1]]

    compile(words[-1], "HEALTHCHECK", "exec")
    assert "127.0.0.1:8000/livez" in words[-1]


def test_static_files_are_collected_with_throw_away_secrets(tmp_path: Path) -> None:
    secrets = dict(line.split("=", 1) for line in manage("generate_secrets").stdout.splitlines())
    (given,) = re.findall(
        r"generate_secrets\) (.*) \\\n +python manage.py collectstatic", DOCKERFILE
    )
    variables = dict(pair.split("=", 1) for pair in given.split())
    run = manage("collectstatic", "--no-input", VAR_DIR=str(tmp_path), **secrets, **variables)

    assert run.returncode == 0, run.stderr
    assert (tmp_path / "static/staticfiles.json").exists()
    assert not (tmp_path / "db.sqlite3").exists()


def test_compose_publishes_one_port_on_this_machine_and_has_no_secret() -> None:
    assert re.findall(r"ports: (.*)", COMPOSE) == ['["127.0.0.1:8000:8000"]']
    passwords = ("POSTGRES_PASSWORD", "REDIS_PASSWORD")
    for name in ("SECRET_KEY", "API_KEY_PEPPERS", *passwords, "ALLOWED_HOSTS", "SITE_URL"):
        assert set(re.findall(rf"\$\{{{name}(:.)", COMPOSE)) == {":?"}


def test_what_compose_sets_is_what_the_settings_read() -> None:
    block = COMPOSE.partition("environment:\n")[2].partition("cap_drop")[0]
    names = re.findall(r"^ +([A-Z_]+):", block, re.MULTILINE)
    read = (ROOT / "config/env.py").read_text() + (ROOT / "config/settings/base.py").read_text()

    assert [name for name in names if f'"{name}"' not in read] == []
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "TRUSTED_PROXIES"} <= set(names)


def test_what_compose_leaves_empty_does_not_stop_the_start(tmp_path: Path) -> None:
    empty = dict.fromkeys(re.findall(r"\$\{([A-Z_]+):-\}", COMPOSE), "")

    assert "TRUSTED_PROXIES" in empty
    assert manage("check", **GOOD_SECRETS, **empty, VAR_DIR=str(tmp_path)).returncode == 0


def test_scripts_import_each_other_by_the_names_that_browsers_keep(tmp_path: Path) -> None:
    """Two names for one module would be two modules, each with messages of its own."""
    manage("collectstatic", "--no-input", VAR_DIR=str(tmp_path), **GOOD_SECRETS)
    manifest = json.loads((tmp_path / "static/staticfiles.json").read_text())["paths"]
    hashed = {name: Path(path).name for name, path in manifest.items() if name.startswith("js/")}
    sources = {name: (ROOT / "static" / name).read_text() for name in hashed}
    collected = {name: (tmp_path / "static" / manifest[name]).read_text() for name in hashed}

    assert len(imports(sources["js/pages.js"])) > 5
    for name, source in sources.items():
        assert imports(collected[name]) == [hashed[f"js/{one}"] for one in imports(source)], name


def imports(script: str) -> list[str]:
    """The modules that a script imports, `import "./a.js"` and `… from "./a.js"` alike."""
    return re.findall(r'(?:^|\s)(?:import|from)\s*"\./(.+?)"', script)

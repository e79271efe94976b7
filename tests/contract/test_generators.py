"""openapi-generator creates clients in four languages from every schema.

Requires Java. If Java or the package is missing, `tests/api/formats/test_schemas.py` still checks
for the schema features on which the generator is known to fail.
"""

import compileall
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from apikeys.api.urls import SCHEMAS, schema_at

pytest.importorskip("openapi_generator_cli", reason="“make test-contract” installs it")
pytestmark = pytest.mark.skipif(
    not shutil.which("java"), reason="openapi-generator needs Java: apt-get install default-jre"
)

#: Language of a client → where its models are, and how they end.
LANGUAGES: Final = {
    "python": ("openapi_client/models/*.py", "class "),
    "go": ("model_*.go", "type "),
    "typescript-fetch": ("models/*.ts", "export "),
    "java": ("src/main/java/**/model/*.java", "public class "),
}
#: What a user of the Python client does with a refusal in the envelope format.
PROGRAM: Final = """
import sys
from openapi_client.models.error import Error

error = Error.from_json(sys.argv[1])
print(error.code, error.data, error.errors[0].code, Error.from_dict(error.to_dict()) == error)
"""


def _jar() -> Path:
    spec = importlib.util.find_spec("openapi_generator_cli")
    assert spec
    assert spec.origin
    return Path(spec.origin).with_name("openapi-generator.jar")


def _generate(address: str, language: str, folder: Path) -> Path:
    schema, client = folder / "schema.json", folder / "client"
    schema.write_text(json.dumps(schema_at(address)))
    java = ["java", "-Xmx256m", "-jar", str(_jar()), "generate", "-g", language]
    command = [*java, "-i", str(schema), "-o", str(client)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, (run.stdout + run.stderr)[-2000:]
    return client


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("address", SCHEMAS)
def test_each_language_has_a_client_for_each_schema(
    address: str, language: str, tmp_path: Path
) -> None:
    client = _generate(address, language, tmp_path)

    pattern, beginning = LANGUAGES[language]
    models = list(client.glob(pattern))
    assert models
    assert any(beginning in model.read_text() for model in models)
    assert [m.name for m in models if "rror" in m.name]
    if language == "python":
        assert compileall.compile_dir(client, quiet=2)


def test_the_python_client_reads_a_refusal_of_the_envelope_format(tmp_path: Path) -> None:
    address = "envelope/v1/openapi"
    client = _generate(address, "python", tmp_path)
    answer = schema_at(address)["paths"]["/envelope/v1/api-keys"]["get"]["responses"]["401"]
    example = json.dumps(answer["content"]["application/json"]["example"])
    (client / "program.py").write_text(PROGRAM)

    command = [sys.executable, "program.py", example]
    run = subprocess.run(command, cwd=client, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["401", "None", "invalid_api_key", "True"]

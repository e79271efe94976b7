"""Example requests, each written in four languages from one source."""

import json
import pprint
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Example:
    """A request. `path` and `body` contain `{account_id}` and `{id}` as placeholders."""

    title: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None

    def url(self, base: str, account_id: str, key_id: str) -> str:
        """The URL with the placeholders filled in."""
        return base + self.path.replace("{account_id}", account_id).replace("{id}", key_id)

    def about(self, key_id: str) -> "Example":
        """The same request with a key's ID in its body."""
        return replace(self, body=json.loads(json.dumps(self.body).replace("{id}", key_id)))


#: Operation → example, in the order of the guide (from envelope-create-api-key.txt).
EXAMPLES: Final[Mapping[str, Example]] = {
    "use": Example(
        "List templates", "GET", "/v1/accounts/{account_id}/templates?pageIndex=0&pageSize=5"
    ),
    "current": Example("Get the current key", "GET", "/v1/api-keys/current"),
    "create": Example(
        "Create a key",
        "POST",
        "/v1/api-keys",
        {"name": "Analytics Dashboard", "scopes": ["trademarks:read", "search:read"]},
    ),
    "list": Example("List keys", "GET", "/v1/api-keys?limit=20"),
    "read": Example("Get a key", "GET", "/v1/api-keys/{id}"),
    "update": Example(
        "Update a key", "PATCH", "/v1/api-keys/{id}", {"description": "Charts of the start page"}
    ),
    "usage": Example("Get the usage of a key", "GET", "/v1/api-keys/{id}/usage?interval=day"),
    "rotate": Example("Rotate a key", "POST", "/v1/api-keys/{id}/rotate", {"grace_period": 86400}),
    "revoke": Example("Revoke a key", "DELETE", "/v1/api-keys/{id}"),
    "revoke_many": Example(
        "Revoke several keys",
        "POST",
        "/v1/api-keys/revoke",
        {"ids": ["{id}"], "cascade": False},
    ),
    "envelope": Example(
        "Create a key in the envelope format", "POST", "/envelope/v1/api-keys", {"name": "CI"}
    ),
    "workspace": Example(
        "Create a key in the workspace format",
        "POST",
        "/api/v1/workspaces/{account_id}/api-keys",
        {"name": "CI/CD Pipeline Key"},
    ),
}


def curl(example: Example, url: str) -> str:
    """A shell command. In each language, the environment variable API_KEY holds the key."""
    method = "" if example.method == "GET" else f"-X {example.method} "
    lines = [f'curl {method}"{url}"', '-H "Authorization: Bearer $API_KEY"']
    if example.body is not None:
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(example.body)}'"]
    return " \\\n  ".join(lines)


def javascript(example: Example, url: str) -> str:
    """A module for Node.js 18 or later, without dependencies."""
    headers = ["    Authorization: `Bearer ${process.env.API_KEY}`,"]
    body = ""
    if example.body is not None:
        headers.append('    "Content-Type": "application/json",')
        body = f"  body: JSON.stringify({json.dumps(example.body)}),\n"
    inside = "\n".join(headers)
    return (
        f'const response = await fetch("{url}", {{\n  method: "{example.method}",\n'
        f"  headers: {{\n{inside}\n  }},\n{body}}});\n"
        "console.log(response.status, await response.json());"
    )


def python(example: Example, url: str) -> str:
    """A script that requires the package requests."""
    body = ""
    if example.body is not None:
        body = f"    json={pprint.pformat(dict(example.body), sort_dicts=False)},\n"
    return (
        f"import os\n\nimport requests\n\nresponse = requests.{example.method.lower()}(\n"
        f'    "{url}",\n'
        '    headers={"Authorization": f"Bearer {os.environ[\'API_KEY\']}"},\n'
        f"{body}    timeout=10,\n)\nprint(response.status_code, response.json())"
    )


def go(example: Example, url: str) -> str:
    """A program that uses only the standard library."""
    sent = "nil" if example.body is None else f"strings.NewReader(`{json.dumps(example.body)}`)"
    imports = ["fmt", "io", "net/http", "os"] + (["strings"] if example.body is not None else [])
    kind = (
        '\n\trequest.Header.Set("Content-Type", "application/json")'
        if example.body is not None
        else ""
    )
    named = "\n".join(f'\t"{name}"' for name in imports)
    return f"""package main

import (
{named}
)

func main() {{
	request, err := http.NewRequest("{example.method}", "{url}", {sent})
	if err != nil {{
		panic(err)
	}}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("API_KEY")){kind}
	response, err := http.DefaultClient.Do(request)
	if err != nil {{
		panic(err)
	}}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {{
		panic(err)
	}}
	fmt.Println(response.StatusCode, string(body))
}}"""


LANGUAGES: Final[Mapping[str, Callable[[Example, str], str]]] = {
    "curl": curl,
    "Python": python,
    "JavaScript": javascript,
    "Go": go,
}

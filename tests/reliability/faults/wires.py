"""A persistent connection to a worker, and the forms of the pages that it serves."""

import http.client
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any, Final, Self
from urllib.parse import urlencode, urlsplit

from django.test import Client

from organizations.models import User
from organizations.pages.base import DIALOG_HEADER
from tests.admin.support import enter
from tests.reliability.live.conftest import Server

#: How long a connection may take to show that its worker is awake.
_AWAKE_SECONDS: Final = 0.5
_PATIENCE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    def in_dialog(self) -> "Request":
        """The same from a dialog, as the pages' script sends it."""
        return replace(self, headers={**self.headers, DIALOG_HEADER: "1"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    text: str


class Wire:
    """A connection to a worker that answers: one that has been frozen before is passed over."""

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.address)
        deadline = time.monotonic() + _PATIENCE
        while not self._is_awake(str(parts.hostname), parts.port or 80):
            self._connection.close()
            assert time.monotonic() < deadline, "no worker answers"

    def _is_awake(self, host: str, port: int) -> bool:
        self._connection = http.client.HTTPConnection(host, port, timeout=_AWAKE_SECONDS)
        try:
            self.send(Request("GET", "/livez", {}))
        except (OSError, http.client.HTTPException):
            return False
        assert self._connection.sock is not None
        self._connection.sock.settimeout(_PATIENCE)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, request: Request) -> Answer:
        """The answer, or what the connection raises."""
        self._connection.request(
            request.method, request.path, request.body or None, request.headers
        )
        response = self._connection.getresponse()
        return Answer(response.status, response.read().decode())


def call(secret: str, method: str, path: str, body: dict[str, Any] | None = None) -> Request:
    """A call of the API with a key."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    return Request(method, path, headers, b"" if body is None else json.dumps(body).encode())


@dataclass(frozen=True, slots=True)
class Browser:
    """A person's session with a real server, signed in a moment ago."""

    server: Server
    cookies: str
    csrf: str

    @classmethod
    def of(cls, server: Server, person: User) -> Self:
        csrf = secrets.token_hex(16)
        session = enter(Client(), person).cookies["sessionid"].value
        return cls(server, f"sessionid={session}; csrftoken={csrf}", csrf)

    def get(self, path: str) -> str:
        """A page."""
        with Wire(self.server) as wire:
            answer = wire.send(Request("GET", path, {"Cookie": self.cookies}))
        assert answer.status == 200, (path, answer)
        return answer.text

    def post(self, path: str, fields: dict[str, Any]) -> Request:
        """A form as it is sent."""
        headers = {
            "Cookie": self.cookies,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        sent = {**fields, "csrfmiddlewaretoken": self.csrf}
        return Request("POST", path, headers, urlencode(sent, doseq=True).encode())

    def form(self, path: str, changes: dict[str, Any]) -> Request:
        """The form of a page that is sent to the page itself, with what the person changes in it.

        None leaves a field out, as a cleared checkbox is.
        """
        own = path.partition("?")[0]
        found = next(form for form in forms_of(self.get(path)) if form.action in (own, ""))
        fields = {**found.fields, **changes}
        kept = {name: value for name, value in fields.items() if value is not None}
        return self.post(own, kept)


@dataclass(slots=True)
class Form:
    """A form's address and what a browser would send of it untouched."""

    action: str
    fields: dict[str, Any] = field(default_factory=dict)


class _Forms(HTMLParser):
    """Reads the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""))
            self.forms.append(self._open)
        if self._open is None:
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._text = name
            self._open.fields[name] = ""
        elif tag == "option" and "selected" in given:
            self._add(self._select, value)
        elif tag == "input":
            self._read_input(given, name, value)

    def _read_input(self, given: dict[str, str], name: str, value: str) -> None:
        kind = given.get("type", "text")
        if kind in ("checkbox", "radio"):
            if "checked" in given:
                self._add(name, value or "on")
        elif name and kind not in ("submit", "button"):
            self._add(name, value)

    def _add(self, name: str, value: str) -> None:
        assert self._open is not None
        known = self._open.fields.get(name)
        self._open.fields[name] = value if known is None else [*_list(known), value]

    def handle_data(self, data: str) -> None:
        if self._open is not None and self._text:
            # HTML leaves out the line break that Django puts first.
            self._open.fields[self._text] += data.removeprefix("\n").removeprefix("\r\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "textarea":
            self._text = ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def forms_of(page: str) -> list[Form]:
    """The forms of a page."""
    reader = _Forms()
    reader.feed(page)
    return reader.forms

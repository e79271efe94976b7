"""Parses request bodies: UTF-8 JSON of limited size, without duplicate names."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any, Final, NoReturn

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

#: Content-Encoding values that an error repeats. Anything else may be a misplaced secret.
_CODING: Final = re.compile("[a-z0-9-]{1,16}")


class TooLarge(APIException):
    """The body is larger than `settings.API_BODY_LIMIT` bytes."""

    status_code = 413
    default_code = "request_too_large"

    def __init__(self) -> None:
        super().__init__(f"Send at most {settings.API_BODY_LIMIT} bytes.")


class _RepeatedName(ValueError):
    """A JSON object has the same name twice."""


class StrictJSONParser(BaseParser):
    """Parses JSON. Rejects duplicate names, NaN, other encodings and very deep nesting."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raises TooLarge, UnsupportedMediaType or ParseError."""
        _require_utf8(media_type or "")
        _require_unencoded(parser_context)
        body = _read(stream)
        try:
            return json.loads(
                body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant
            )
        except RecursionError:
            raise ParseError("The request body is nested too deeply.") from None
        except _RepeatedName:
            raise ParseError("The request body gives a name twice.") from None
        except ValueError:
            raise ParseError("The request body is invalid JSON.") from None


class JSONOnly(BaseContentNegotiation):
    """Always responds with JSON and ignores the Accept header."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """Returns None, which leads to a 415, unless the content type is JSON."""
        media_type = request.content_type.partition(";")[0].strip().lower()
        return next((p for p in parsers if p.media_type == media_type), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


def _require_utf8(media_type: str) -> None:
    parameters = media_type.lower().replace(" ", "").replace('"', "").split(";")[1:]
    charsets = [p.partition("=")[2] for p in parameters if p.startswith("charset=")]
    if any(charset not in ("utf-8", "utf8") for charset in charsets):
        raise UnsupportedMediaType(media_type, "Send JSON in UTF-8.")


def _require_unencoded(parser_context: Mapping[str, Any] | None) -> None:
    # Bodies are never decompressed: a small one can become very large.
    request = (parser_context or {}).get("request")
    header = request.META.get("HTTP_CONTENT_ENCODING", "") if request else ""
    codings = [coding.strip().lower() for coding in header.split(",")]
    for coding in codings:
        if coding not in ("", "identity"):
            named = f" “{coding}”" if _CODING.fullmatch(coding) else ""
            message = f"The content coding{named} isn't supported. Send the body uncompressed."
            raise UnsupportedMediaType(header, message)


def _read(stream: IO[Any]) -> bytes:
    limit = settings.API_BODY_LIMIT
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge
    return body


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise _RepeatedName
    return result


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError

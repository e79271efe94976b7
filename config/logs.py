"""Logs: one JSON object per line with the request ID, without secrets."""

import json
import logging.config
import sys
import threading
import traceback
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from core import ids
from core.redaction import redact
from core.request_context import CurrentRequest, current_request

if TYPE_CHECKING:
    from apikeys.usage.key_request import KeyUse


def redact_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Redacts secrets in all values, nested ones and tracebacks included."""
    return {name: _redacted(value) for name, value in event.items()}


def add_origin(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Adds the ID, IP address and caller of the current request, if there is one."""
    current = current_request()
    if current is None:
        return event
    origin = current.request.origin
    return {"request_id": origin.request_id, "ip": origin.ip, **_caller(current), **event}


def _caller(current: CurrentRequest) -> dict[str, str]:
    """IDs of the key or user, and of the organization, if known by now.

    Runs no queries: logging must neither cost one nor fail.
    """
    if current.key_use:
        return ids_of(current.key_use)
    request = current.request
    person = getattr(request, "_cached_user", None)  # set by Django once the user is loaded
    known = {"person": person.public_id} if person and person.is_authenticated else {}
    organization = getattr(request, "organization", None)
    return {**known, "organization_id": organization.public_id} if organization else known


def ids_of(use: "KeyUse") -> dict[str, str]:
    """The IDs of a request's key and of its organization."""
    return {
        "key_id": ids.public_id("key", use.found.key_id),
        "organization_id": ids.public_id("org", use.found.organization_id),
    }


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {_redacted(key): _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else redact(str(value))


class ConsoleHandler(logging.StreamHandler[Any]):
    """Writes to standard error. If a line can't be written, logs where it came from."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Replaces logging's own, which prints messages unredacted."""
        kind = sys.exc_info()[0]
        line = {
            "event": "line_not_logged",
            "level": "error",
            "logger": record.name,
            "file": f"{record.filename}:{record.lineno}",
            "reason": kind.__name__ if kind else None,
        }
        with suppress(OSError, ValueError):  # standard error may be closed
            self.stream.write(json.dumps(line) + self.terminator)


def redact_crashes() -> None:
    """Redacts tracebacks of uncaught exceptions, also in threads and finalizers."""
    sys.excepthook = _show
    threading.excepthook = lambda crash: _show(crash.exc_type, crash.exc_value, crash.exc_traceback)
    sys.unraisablehook = lambda crash: _show(crash.exc_type, crash.exc_value, crash.exc_traceback)


def _show(
    kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
) -> None:
    if not issubclass(kind, SystemExit) and sys.stderr:
        sys.stderr.write(redact("".join(traceback.format_exception(kind, error, trace))))


_SHARED: list[Any] = [
    add_origin,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_settings(level: str) -> dict[str, Any]:
    """Configures structlog and the standard library. Returns the latter's settings."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    settings: dict[str, Any] = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_SHARED, structlog.stdlib.PositionalArgumentsFormatter()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact_secrets,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {"console": {"class": "config.logs.ConsoleHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # `config.middleware.request_context` already logs each request.
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "WARNING"},
        },
    }
    logging.config.dictConfig(settings)
    return settings

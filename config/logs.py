"""Logs: one JSON object a line, with the request's id, and never a secret."""

import logging.config
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from organizations.origin import current_origin
from organizations.redaction import redact


def redact_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Cuts whatever looks like a secret, in values however deep, tracebacks included."""
    return {name: _redacted(value) for name, value in event.items()}


def add_origin(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Says which request a line belongs to, where it belongs to one."""
    origin = current_origin()
    return {"request_id": origin.request_id, "ip": origin.ip, **event} if origin else event


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {_redacted(key): _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value if isinstance(value, int | float | bool | None) else redact(str(value))


_SHARED: list[Any] = [
    add_origin,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_settings(level: str) -> dict[str, Any]:
    """Configures structlog and the standard library alike; returns the latter's settings."""
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
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # The access line of `config.middleware` says it already.
            "django.request": {"level": "ERROR"},
            "django.server": {"level": "WARNING"},
        },
    }
    logging.config.dictConfig(settings)
    return settings

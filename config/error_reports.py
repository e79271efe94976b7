"""Redacts Django's error reports, shown if `DEBUG` is on or emailed if configured."""

import re
from typing import Final

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from core.redaction import redact

#: URLs of databases, stores and mail servers can contain passwords.
_ADDRESSES: Final = "|URL|LOCATION|DSN"


class ReportFilter(SafeExceptionReporterFilter):
    """Also hides settings with URLs."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + _ADDRESSES, flags=re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True  # Django's own filter is off if `DEBUG` is on


class Reporter(ExceptionReporter):
    """Redacts secrets anywhere in a report: local variables, forms, messages."""

    def get_traceback_html(self) -> str:  # type: ignore[override]
        return redact(super().get_traceback_html())

    def get_traceback_text(self) -> str:  # type: ignore[override]
        return redact(super().get_traceback_text())

"""What Django shows of an error where `DEBUG` is on, or mails where somebody has set that up."""

import re
from typing import Final

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from core.redaction import redact

#: Addresses of databases, stores and mail servers have passwords in them.
_ADDRESSES: Final = "|URL|LOCATION|DSN"


class ReportFilter(SafeExceptionReporterFilter):
    """Leaves settings out that open something, addresses among them."""

    hidden_settings = re.compile(
        SafeExceptionReporterFilter.hidden_settings.pattern + _ADDRESSES, flags=re.IGNORECASE
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        """In every report; Django's own leaves forms and variables alone where `DEBUG` is on."""
        return True


class Reporter(ExceptionReporter):
    """Cuts what looks like a secret, wherever in a report it is: local variables, form, message."""

    def get_traceback_html(self) -> str:  # type: ignore[override]
        return redact(super().get_traceback_html())

    def get_traceback_text(self) -> str:  # type: ignore[override]
        return redact(super().get_traceback_text())
